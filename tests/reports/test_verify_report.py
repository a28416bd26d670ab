"""Checking a report by its code: anybody may, nobody learns whose blood it is."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pgtrigger
import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from accounts.models import AuditEvent, User
from classifier.models import Case
from classifier.services import reviews
from reports import verification
from reports.models import Report
from reports.services.reading import read_pdf
from reports.throttle import MOST_A_MINUTE
from tests.reports.conftest import Sign
from tests.spoiling import spoil

pytestmark = pytest.mark.usefixtures("empty_cache")
CODES = st.text(alphabet=verification.ALPHABET, min_size=16, max_size=16)


def address(report: Report) -> str:
    return reverse("verification:report", args=[verification.spell(report.verification_code)])


def words(response: object) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", text)


@given(CODES)
def test_a_printed_code_is_read_back(code: str) -> None:
    assert verification.read_code(verification.spell(code)) == code
    assert verification.read_code(f" {verification.spell(code).lower()} ") == code


def test_letters_that_people_mistake_are_taken_for_digits() -> None:
    assert verification.read_code("oooo-iiii-llll-0000") == "0000111111110000"


@pytest.mark.parametrize("text", ["", "7K2M", "7K2M-9QXD-04TV-H8W!", "U" * 16, "7" * 17])
def test_anything_else_is_no_code(text: str) -> None:
    assert verification.read_code(text) is None


def test_codes_are_not_repeated() -> None:
    assert len({verification.new_code() for _ in range(500)}) == 500


def test_the_code_is_part_of_what_is_signed(ready_case: Case, sign: Sign) -> None:
    report = sign(ready_case)

    signature = report.says.signature
    assert signature is not None
    assert signature.verification_code == report.verification_code
    assert signature.verification_address.endswith(address(report))
    assert report.content_sha256 == report.says.content_sha256


def test_the_pdf_prints_the_code_and_leads_to_the_page(
    ready_case: Case, sign: Sign, pathologist: User
) -> None:
    report = sign(ready_case)
    reader = PdfReader(io.BytesIO(read_pdf(report, actor=pathologist)))

    spelled = verification.spell(report.verification_code)
    for page in reader.pages:
        assert spelled in page.extract_text()


def test_anybody_learns_what_the_report_is_and_not_whose(
    client: Client, ready_case: Case, sign: Sign
) -> None:
    report = sign(ready_case)
    patient = ready_case.patient

    response = client.get(address(report))
    page = words(response)

    assert response.status_code == 200
    for said in (
        ready_case.accession_number, "version 1", "Final", "Paul Pathologist, MD",
        report.content_sha256, report.pdf_sha256, "In force.",
        report.says.laboratory.name,
    ):  # fmt: skip
        assert said in page, said
    html = response.content.decode()
    for hidden in (patient.family_name, patient.given_name, patient.mrn, str(patient.pk)):
        assert hidden not in html
    assert str(report.pk) not in html


def test_a_typed_code_leads_there(client: Client, ready_case: Case, sign: Sign) -> None:
    report = sign(ready_case)

    response = client.get(reverse("verification:ask"), {"code": report.verification_code.lower()})

    assert response.headers["Location"] == address(report)


def test_no_code_and_a_wrong_one_find_nothing(client: Client, db: None) -> None:
    wrong = client.get(reverse("verification:report", args=["0000-0000-0000-0000"]))
    short = client.get(reverse("verification:ask"), {"code": "ABC"})

    assert (wrong.status_code, short.status_code) == (404, 404)
    assert "No report has this code" in words(wrong)
    assert client.get(reverse("verification:ask")).status_code == 200


def test_reports_from_before_there_were_codes_are_found_by_none(
    client: Client, ready_case: Case, sign: Sign
) -> None:
    report = sign(ready_case)
    with pgtrigger.ignore("reports.Report:append_only"):
        Report.objects.filter(pk=report.pk).update(verification_code="")

    assert client.get(reverse("verification:report", args=["-"])).status_code == 404


def test_a_superseded_version_says_so(
    client: Client, ready_case: Case, pathologist: User, sign: Sign, correct: Callable[..., object]
) -> None:
    first = sign(ready_case)
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason="Misread.")
    correct(ready_case, [0], "plasma_cell")
    second = sign(ready_case)

    assert "Superseded. Version 2 (corrected)" in words(client.get(address(first)))
    assert "In force." in words(client.get(address(second)))


def send(client: Client, report: Report, data: bytes) -> str:
    file = SimpleUploadedFile("report.pdf", data, content_type="application/pdf")
    return words(client.post(address(report), {"pdf": file}))


def test_a_sent_file_is_held_against_what_was_issued(
    client: Client, ready_case: Case, pathologist: User, sign: Sign, correct: Callable[..., object]
) -> None:
    first = sign(ready_case)
    data = read_pdf(first, actor=pathologist)
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason="Misread.")
    correct(ready_case, [0], "plasma_cell")
    second = sign(ready_case)

    assert "The same. Your file is this version" in send(client, first, data)
    assert "Your file is version 1 of this report" in send(client, second, data)
    assert "Not the same." in send(client, first, data + b"\n")
    assert "Choose a file first." in words(client.post(address(first)))


def test_what_is_not_as_signed_is_not_vouched_for(
    client: Client, ready_case: Case, sign: Sign
) -> None:
    report = sign(ready_case)
    path = Path(report.pdf.path)
    spoil(path)

    response = client.get(address(report))

    assert response.status_code == 409
    assert "not what was signed" in words(response)
    event = AuditEvent.objects.get(action="report.verification_failed")
    assert event.actor == User.system()


def test_asking_too_often_is_refused_for_a_minute(client: Client, db: None) -> None:
    codes = [client.get(reverse("verification:ask")).status_code for _ in range(MOST_A_MINUTE + 1)]

    assert codes.count(200) in (MOST_A_MINUTE, MOST_A_MINUTE + 1)
    if codes[-1] == 200:  # the minute ended meanwhile
        return
    assert "Too many requests" in words(client.get(reverse("verification:ask")))
    cache.clear()
    assert client.get(reverse("verification:ask")).status_code == 200


def test_the_same_address_always_gives_the_same_drawing() -> None:
    drawing = verification.draw_qr("https://lab.example/verify/7K2M-9QXD-04TV-H8WB/")

    assert drawing == verification.draw_qr("https://lab.example/verify/7K2M-9QXD-04TV-H8WB/")
    assert drawing.side > 29
