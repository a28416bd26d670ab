"""Pages, files and exports of what was disposed of, and the pages of disposals."""

import json
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from api.description import SCHEMA_FILE
from classifier.models import Case, Slide
from classifier.services.reviews import amend
from reports.services.dicom import export_image
from reports.services.fhir import read_signed
from retention.enums import RecordType
from retention.models import Disposal
from retention.services.carrying_out import carry_out_disposals
from tests.api.conftest import Program, make_token, program
from tests.clinical import MakeImage
from tests.pages import words_of
from tests.reports.conftest import Sign
from tests.retention.steps import day_rule, dispose, end, hold, propose, rule, travel
from vault.exceptions import Disposed

__all__ = ["make_token", "program"]

SignIn = Callable[[User], Client]
DUE = reverse("retention:due", args=["cell_images"])


@pytest.fixture
def later(
    case: Case, technician: User, add_picture: MakeImage, administrator: User, keeper: User
) -> Iterator[Case]:
    """A rejected case with two pictures, three days later, which are kept for one."""
    for _ in range(2):
        add_picture(case)
    end(case, technician)
    day_rule(administrator, keeper)
    with travel(days=3):
        yield case


def test_from_the_list_to_the_result(
    later: Case, client_for: SignIn, administrator: User, keeper: User
) -> None:
    office, second = client_for(administrator), client_for(keeper)
    page = office.get(DUE)
    form = page.context["form"]
    assert later.accession_number in words_of(page)
    values = {"disposal_id": str(form["disposal_id"].value()), "cases": [str(later.pk)]}
    office.post(DUE, values)
    disposal = Disposal.objects.get()
    assert "somebody else has to approve it" in words_of(office.get(disposal.get_absolute_url()))
    second.post(reverse("retention:disposal_approve", args=[disposal.pk]))
    assert "Being carried out" in words_of(second.get(disposal.get_absolute_url()))
    carry_out_disposals()
    assert "Carried out" in words_of(office.get(disposal.get_absolute_url()))
    rows = office.get(reverse("retention:disposal_export", args=[disposal.pk]))
    lines = b"".join(rows.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3
    assert later.accession_number in lines[1]
    assert ",erased," in lines[1]
    assert "Carried out" in words_of(office.get(reverse("retention:disposals")))


def test_what_is_held_back_says_why(later: Case, client_for: SignIn, administrator: User) -> None:
    hold(administrator, later)
    page = words_of(client_for(administrator).get(DUE))
    assert "A legal hold is on the record." in page
    assert "Nothing is due" in page


def test_choosing_nothing_or_what_is_not_due_is_refused_in_words(
    later: Case, client_for: SignIn, administrator: User
) -> None:
    office = client_for(administrator)
    form = office.get(DUE).context["form"]
    values = {"disposal_id": str(form["disposal_id"].value())}
    answer = office.post(DUE, values)
    assert (answer.status_code, Disposal.objects.count()) == (422, 0)
    assert "Choose at least one case." in words_of(answer)


def test_a_proposal_is_withdrawn_on_its_page(
    later: Case, client_for: SignIn, administrator: User
) -> None:
    disposal = propose(administrator, later)
    office = client_for(administrator)
    address = reverse("retention:disposal_withdraw", args=[disposal.pk])
    assert "Give a reason" in words_of(office.post(address, {"reason": ""}, follow=True))
    page = words_of(office.post(address, {"reason": "Too early."}, follow=True))
    assert "Too early." in page


def test_other_kinds_of_records_are_not_disposed_of(
    client_for: SignIn, administrator: User
) -> None:
    address = reverse("retention:due", args=["reports"])
    assert client_for(administrator).get(address).status_code == 404


def test_pages_and_files_say_what_was_disposed_of(
    later: Case, client_for: SignIn, administrator: User, keeper: User, technician: User
) -> None:
    image = later.images.all()[0]
    dispose(administrator, keeper, later)
    desk = client_for(technician)
    page = words_of(desk.get(later.get_absolute_url()))
    assert "2 images disposed of" in page
    assert "DICOM" not in page
    assert "Images of single cells, 1 day, version 1" in page
    address = reverse("classifier:image", args=[image.pk])
    answer = desk.get(address)
    assert (answer.status_code, "Disposed of on" in words_of(answer)) == (410, True)
    for name in ("image", "thumbnail"):
        shown = desk.get(
            reverse(f"classifier:{name}", args=[image.pk]), headers={"Accept": "image/avif,image/*"}
        )
        assert (shown.status_code, shown.headers["Content-Type"]) == (410, "image/svg+xml")
        assert "Disposed of on" in words_of(shown)
    cell = reverse("classifier:cell_thumbnail", args=[image.cells.get().pk])
    assert desk.get(cell).status_code == 410


def test_a_program_gets_a_problem_that_says_it(
    later: Case, program: Program, administrator: User, keeper: User, technician: User
) -> None:
    image = later.images.all()[0]
    tess = program(technician)
    address = f"/api/v1/images/{image.pk}/file"
    assert tess.get(address).status_code == 200
    dispose(administrator, keeper, later)
    answer = tess.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (410, "application/problem+json")
    assert answer.json()["type"].endswith("disposed")
    assert "under the rule: Images of single cells, 1 day, version 1" in answer.json()["detail"]
    described = json.loads(SCHEMA_FILE.read_text())["paths"]["/api/v1/images/{id}/file"]["get"]
    assert "410" in described["responses"]


def test_a_slides_page_says_it_too(
    slide: Slide, client_for: SignIn, technician: User, administrator: User, keeper: User
) -> None:
    tile = reverse("classifier:slide_tile", args=[slide.pk, 9, 0, 0])
    assert client_for(technician).get(tile).status_code == 200
    end(slide.case, technician)
    day_rule(administrator, keeper, record_type="slides")
    with travel(days=3):
        dispose(administrator, keeper, slide.case, kind=RecordType.SLIDES)
        desk = client_for(technician)
        page = words_of(desk.get(slide.get_absolute_url()))
        assert "1 slide disposed of" in page
        assert 'data-hook="canvas"' not in page
        assert desk.get(tile).status_code == 410, "even where a process still has it open"


def test_a_signed_report_outlives_its_pictures(
    ready_case: Case, sign: Sign, client_for: SignIn, pathologist: User, administrator: User,
    keeper: User,
) -> None:  # fmt: skip
    report = sign(ready_case)
    rule(administrator, keeper, record_type="cell_images", keep_for=1, unit="days")
    with travel(days=3):
        assert read_signed(report, actor=pathologist, earlier=[], with_files=True).images
        dispose(administrator, keeper, ready_case)
        desk = client_for(pathologist)
        pdf = desk.get(reverse("reports:report_pdf", args=[report.pk]))
        assert pdf.status_code == 200
        signed = read_signed(report, actor=pathologist, earlier=[], with_files=True)
        assert (signed.images, signed.pdf[:4]) == ({}, b"%PDF")
        with pytest.raises(Disposed):
            export_image(ready_case.images.all()[0], actor=pathologist)
        amend(case_id=ready_case.pk, actor=pathologist, reason="A class.")
        assert desk.get(reverse("classifier:review", args=[ready_case.pk])).status_code == 200
        later = sign(Case.objects.get(pk=ready_case.pk))
        assert later.version == 2
