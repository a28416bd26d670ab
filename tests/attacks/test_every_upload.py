"""Every upload of the site, with files that mean harm or were harmed on the way.

More of it: `UPLOAD_EXAMPLES=500 pytest -s` and this file, which writes how many files were sent.
"""

import logging
import os
import re
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from api.policies import scopes_of
from classifier.enums import CellType
from classifier.exceptions import DomainError
from classifier.models import Case, SmearImage
from classifier.services.reference_imports import Provenance, import_picture
from learning.enums import SetKind, UploadStatus
from learning.models import LabelledSet
from learning.services.set_uploads import Wanted, check_set_uploads, upload_set
from learning.services.uploads import check_uploads, upload_candidate
from reports.models import PrintLayout
from tests.access.site import program
from tests.attacks.files import harmed_files, odd_files
from tests.attacks.forms import forms_in
from tests.attacks.watching import taken_back
from tests.pages import words_of

EXAMPLES = int(os.environ.get("UPLOAD_EXAMPLES", "12"))
NAMES = ("cell.png", "../../../etc/passwd", "a\r\nX-Evil: 1.jpg", "=1+1.csv", "<img src=x>.dcm")
STORES = {200, 201, 302}
Send = Callable[[str, bytes], Any]


@pytest.fixture
def doors(
    case: Case, desk: Client, technician: User, administrator: User, client_for: Any, settings: Any
) -> Iterator[Mapping[str, Send]]:
    """The uploads of the site: each takes a name and a content, and answers."""
    settings.API_REQUESTS_PER_MINUTE = {"read": 10**9, "write": 10**9}
    office, script = client_for(administrator), program(technician)
    assert scopes_of(technician)
    layout = "/administration/reports/layout/"
    page = office.get(layout).content.decode()
    (form,) = (form for form in forms_in(page, layout) if "logo" in form.files)
    kept = {name: value for name, value in form.fields.items() if name != "drops_logo"}

    def to(client: Client, address: str, field: str, **said: str) -> Send:
        def send(name: str, content: bytes) -> Any:
            file = SimpleUploadedFile(name, content, content_type="image/png")
            headers = {"Idempotency-Key": str(uuid.uuid4())}
            return client.post(address, {**said, field: file}, headers=headers)

        return send

    logging.disable(logging.CRITICAL)
    yield {
        "a picture": to(desk, f"/api/cases/{case.pk}/images/", "file"),
        "pictures without scripts": to(desk, f"/cases/{case.pk}/images/add/", "images"),
        "a picture by program": to(script, f"/api/v1/cases/{case.pk}/images", "file"),
        "an archive by program": to(script, f"/api/v1/cases/{case.pk}/archive", "file"),
        "a logo": to(office, layout, "logo", **kept),
        "a candidate": to(
            office, "/administration/models/upload/", "archive", upload_id=str(uuid.uuid4())
        ),
        "a labelled set": to(
            office,
            "/administration/models/sets/upload/",
            "archive",
            upload_id=str(uuid.uuid4()),
            name="north",
            kind="source",
            source="North",
            licence="MIT",
        ),
    }
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(600 + 10 * EXAMPLES)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.django_db
def test_no_file_breaks_an_upload_or_comes_in_unseen(doors: Mapping[str, Send]) -> None:
    answers: Counter[int] = Counter()
    wrong = []
    files = [*odd_files().items(), *harmed_files(EXAMPLES)]
    for number, (what, content) in enumerate(files):
        for where, send in doors.items():
            with taken_back() as watched:
                answer = send(NAMES[number % len(NAMES)], content)
                said = answer.content.decode(errors="replace")
            answers[answer.status_code] += 1
            if answer.status_code >= 500 or "X-Evil" in answer.headers:
                wrong.append(f"{where}, {what}: {answer.status_code}")
            if watched.tables and not watched.entries:
                wrong.append(f"{where}, {what}: {watched.tables} without an audit entry")
            if answer.status_code not in STORES and len(said.split()) < 3:
                wrong.append(f"{where}, {what}: {answer.status_code} without words")
    sys.stdout.write(f"{answers.total()} files sent: {sorted(answers.items())}\n")
    assert wrong == []


@pytest.mark.parametrize("what", ["SVG", "HTML", "PNG of many pixels", "empty", "half an archive"])
def test_what_is_no_logo_is_refused_with_words(doors: Mapping[str, Send], what: str) -> None:
    before = PrintLayout.objects.count()
    answer = doors["a logo"]("logo.png", odd_files()[what])
    assert answer.status_code == 422
    assert PrintLayout.objects.count() == before
    assert re.search("PNG or JPEG picture|The logo has|file is empty", words_of(answer))


@pytest.mark.parametrize(
    "what", ["PNG that is an archive", "archive that is locked", "archive in an archive"]
)
def test_an_odd_candidate_is_refused_by_its_worker_in_words(what: str, administrator: User) -> None:
    file = SimpleUploadedFile("../../release.zip", odd_files()[what])
    upload = upload_candidate(upload_id=uuid.uuid4(), file=file, actor=administrator)
    assert check_uploads() == 1
    upload.refresh_from_db()
    assert upload.status == UploadStatus.REFUSED
    assert len(upload.message.split()) > 2
    assert upload.original_name == "release.zip"


@pytest.mark.parametrize(
    "what", ["PNG that is an archive", "archive that is locked", "archive in an archive"]
)
def test_an_odd_set_is_refused_by_its_worker_in_words(what: str, administrator: User) -> None:
    file = SimpleUploadedFile("../../set.zip", odd_files()[what])
    wanted = Wanted(name="north", kind=SetKind.SOURCE, source="North", licence="MIT")
    upload = upload_set(upload_id=uuid.uuid4(), file=file, wanted=wanted, actor=administrator)
    check_set_uploads()
    upload.refresh_from_db()
    assert upload.status == UploadStatus.REFUSED
    assert len(upload.message.split()) > 2
    assert not LabelledSet.objects.exists()


def test_no_odd_file_becomes_a_reference_cell(pathologist: User) -> None:
    kept = {
        "PNG that is an archive", "PNG with text that unpacks to much", "JPEG with odd EXIF"
    }  # fmt: skip
    for what, content in odd_files().items():
        try:
            import_picture(
                data=content, cell_type=CellType.NEUTROPHIL, actor=pathologist,
                provenance=Provenance("An atlas", "CC BY 4.0"),
            )  # fmt: skip
        except DomainError as refusal:
            assert len(str(refusal).split()) > 2, what  # noqa: PT017 - some are taken
        else:
            assert what in kept


def test_a_picture_keeps_no_exif(case: Case, doors: Mapping[str, Send]) -> None:
    doors["a picture"]("cell.jpg", odd_files()["JPEG with odd EXIF"])
    stored = SmearImage.objects.get().file.open("rb").read()
    assert b"script" not in stored
    assert b"Exif" not in stored
    assert b"eXIf" not in stored
