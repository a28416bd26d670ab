"""How reports are printed: paper, order, logo and footer, frozen with each report."""

import io
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InternalError, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image
from pypdf import PdfReader

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case
from reports.enums import Paper, Section
from reports.layouts import LOGO_SIZE, read_logo
from reports.models import PrintLayout
from reports.services.layouts import LayoutChoice, change_layout
from reports.services.reading import read_pdf
from tests.factories import UserFactory
from tests.reports.conftest import Sign

ORDER = (
    Section.DIFFERENTIAL,
    Section.MORPHOLOGY,
    Section.INTERPRETATION,
    Section.CONSULTED,
    Section.CELLS,
)
ClientFor = Callable[[User], Client]


def picture(size: tuple[int, int] = (90, 30), kind: str = "PNG", **extra: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (84, 57, 143)).save(buffer, format=kind, **extra)
    return buffer.getvalue()


def choice(**changed: object) -> LayoutChoice:
    values = {"paper": Paper.LETTER, "sections": ORDER, "footer": "Open day and night."}
    return LayoutChoice(**values | changed)  # type: ignore[arg-type]


def test_a_report_freezes_the_layout_it_was_signed_with(
    ready_case: Case, sign: Sign, administrator: User
) -> None:
    change_layout(actor=administrator, choice=choice(logo=picture(), logo_alt="Our logo"))
    report = sign(ready_case)
    change_layout(actor=administrator, choice=choice(paper=Paper.A4, drops_logo=True))

    layout = report.says.layout
    assert layout is not None
    assert (layout.version, layout.paper, layout.sections[0]) == (1, "letter", "differential")
    page = PdfReader(io.BytesIO(read_pdf(report, actor=administrator))).pages[0]
    assert [round(side) for side in page.mediabox[2:]] == [612, 792]
    text = page.extract_text()
    assert "Open day and night." in text
    assert text.index("Leukocyte differential") < text.index("Interpretation")


def test_a_laboratory_that_chose_nothing_prints_a4(ready_case: Case, sign: Sign) -> None:
    report = sign(ready_case)

    assert report.says.layout is None
    with report.pdf.open("rb") as file:
        page = PdfReader(file).pages[0]
        assert [round(side) for side in page.mediabox[2:]] == [595, 842]


def test_every_change_is_a_version_and_none_without_a_change(administrator: User) -> None:
    first = change_layout(actor=administrator, choice=choice())
    again = change_layout(actor=administrator, choice=choice())
    second = change_layout(actor=administrator, choice=choice(footer=""))

    assert (first.version, again.version, second.version) == (1, 1, 2)
    assert AuditEvent.objects.filter(action="report.layout_changed").count() == 2
    with pytest.raises(InternalError, match="pgtrigger"), transaction.atomic():
        PrintLayout.objects.update(footer="Another.")


def test_the_logo_stays_until_it_is_dropped(administrator: User) -> None:
    logo = change_layout(actor=administrator, choice=choice(logo=picture(), logo_alt="Ours"))
    kept = change_layout(actor=administrator, choice=choice(footer=""))
    dropped = change_layout(actor=administrator, choice=choice(drops_logo=True))

    assert (kept.logo_sha256, kept.logo_alt) == (logo.logo_sha256, "Ours")
    assert dropped.logo_sha256 == ""


def test_a_logo_is_written_anew_small_and_without_what_hides_in_it() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret"
    data = read_logo(picture((3000, 600), "JPEG", exif=exif))

    with Image.open(io.BytesIO(data)) as found:
        assert found.format == "PNG"
        assert found.width <= LOGO_SIZE[0]
        assert found.height <= LOGO_SIZE[1]
    assert b"secret" not in data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        picture(kind="GIF"),
        picture()[:40],
        b"\x00" * (2 * 1024 * 1024 + 1),
    ],
    ids=["empty", "svg", "gif", "cut", "too large"],
)
def test_no_other_file_becomes_a_logo(data: bytes) -> None:
    with pytest.raises(GuardFailed):
        read_logo(data)


def test_a_logo_needs_words_and_the_findings_a_place(administrator: User) -> None:
    with pytest.raises(GuardFailed, match="in words"):
        change_layout(actor=administrator, choice=choice(logo=picture()))
    with pytest.raises(GuardFailed, match="has to be printed"):
        change_layout(actor=administrator, choice=choice(sections=ORDER[1:]))
    assert change_layout(actor=administrator, choice=choice(sections=ORDER[:-1])).version == 1


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_only_administrators_choose(role: Role, client_for: ClientFor, db: None) -> None:
    person = UserFactory.create(role=role)

    with pytest.raises(NotPermitted):
        change_layout(actor=person, choice=choice())
    url = reverse("report_administration:layout")
    assert client_for(person).get(url).status_code == 403
    assert Client().get(url).status_code == 302


def test_the_page_stores_what_was_chosen(administrator: User, client_for: ClientFor) -> None:
    client = client_for(administrator)
    url = reverse("report_administration:layout")
    form = {"paper": "letter", "order": "differential", "footer": "Open.", "logo_alt": "Ours"}
    logo = SimpleUploadedFile("logo.png", picture(), content_type="image/png")

    assert client.post(url, form | {"logo": logo}).status_code == 302
    row = PrintLayout.objects.get()
    assert (row.paper, row.footer, row.logo_alt) == ("letter", "Open.", "Ours")
    assert row.sections == ["differential", "morphology", "interpretation", "consulted"]
    assert client.get(url).status_code == 200
    bad = SimpleUploadedFile("logo.svg", b"<svg/>", content_type="image/svg+xml")
    refused = client.post(url, form | {"logo": bad})
    assert refused.status_code == 422
    assert "Choose a PNG or JPEG picture." in refused.content.decode()
