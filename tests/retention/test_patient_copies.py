"""Everything about a patient as one archive: whole, nobody else's, and never unseen."""

import csv
import hashlib
import io
import json
import re
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case, Patient
from classifier.services import emergencies
from reports.models import Report
from retention.enums import CopyStatus
from retention.models import PatientCopy
from retention.patient_copies.tables import LEADS, LEFT_OUT, model_of
from retention.services import patient_copies
from tests.exchange.incoming import Send
from tests.exchange.messages import PID, oml
from tests.merging import STRANGER, TWIN, case_of, merge, register
from tests.pages import text_of
from tests.reports.conftest import Sign
from tests.restricting import restrict
from tests.spoiling import spoil

ClientFor = Callable[[User], Client]
SAID = (Path(__file__).resolve().parents[2] / "docs/data-classes.md").read_text()


@pytest.fixture
def report(ready_case: Case, sign: Sign) -> Report:
    return sign(ready_case)


def made(patient: Patient, actor: User, purpose: str = "Letter of 3 May") -> PatientCopy:
    copy = patient_copies.request_copy(
        actor=actor, patient=patient, copy_id=uuid.uuid4(), purpose=purpose
    )
    patient_copies.make_next_copy()
    copy.refresh_from_db()
    return copy


def members(copy: PatientCopy) -> dict[str, bytes]:
    assert copy.status == CopyStatus.READY, copy.problem
    with copy.file.open("rb") as file, zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_table_about_patients_is_in_it_or_left_out_for_a_reason() -> None:
    (line,) = re.findall(r"^## Patient$.*?^Tables: (.+?)$", SAID, re.MULTILINE | re.DOTALL)
    named = {
        f"{label}.{name}"
        for part in line.split(";")
        for label in re.findall(r"`(\w+)`", part)
        for name in re.findall(r"[A-Z]\w+", part)
    }
    assert set(LEADS) | set(LEFT_OUT) == named
    assert not set(LEADS) & set(LEFT_OUT)
    for label, lead in LEADS.items():
        model_of(label)._default_manager.filter(**{f"{lead}__in": []}).exists()


def test_holds_pictures_reports_rows_and_who_looked(report: Report, administrator: User) -> None:
    case = report.case
    copy = made(case.patient, administrator)
    found = members(copy)

    assert hashlib.sha256(found[f"reports/{report.file_stem}.pdf"]).hexdigest() == report.pdf_sha256
    for image in case.images.all():
        with image.file.open("rb") as master:
            name = f"pictures/{case.accession_number}/{image.pk}.png"
            assert found[name] == master.read()
    cells = json.loads(found["data/classifier.cell.json"])
    assert len(cells) == sum(image.cells.count() for image in case.images.all())
    (signed,) = json.loads(found["data/reports.signoff.json"])
    assert "Paul Pathologist" in json.dumps(signed)
    index = found["index.html"].decode()
    assert case.patient.mrn in index
    assert "Neutrophil 4" in index
    assert f"reports/{report.file_stem}.pdf" in index
    assert not re.search(r"(?:src|href)=\"(?:https?:|/)", index), "it opens from a disk"
    listed = list(csv.DictReader(io.StringIO(found["manifest.csv"].decode())))
    assert {row["file"] for row in listed} == set(found) - {"manifest.csv"}
    for row in listed:
        assert hashlib.sha256(found[row["file"]]).hexdigest() == row["sha256"]
    assert "Left out:" in found["README.txt"].decode()
    assert copy.done == copy.total


def test_nobody_else_is_in_it(
    report: Report, technician: User, administrator: User, hospital: object, send: Send
) -> None:
    other = case_of(register(technician, STRANGER), technician)
    send(oml(pid=PID.replace("MRN00777", "MRN00555").replace("Doe^Jane", "Quine^Willa")))
    everything = b"".join(members(made(report.case.patient, administrator)).values())
    for words in (other.accession_number, STRANGER.mrn, "MRN00555", "Willa"):
        assert words.encode() not in everything, words


def test_orders_come_as_they_came(administrator: User, hospital: object, send: Send) -> None:
    send(oml())
    patient = Case.objects.get().patient
    found = members(made(patient, administrator))
    (name,) = [name for name in found if name.startswith("messages/in-")]
    assert found[name] == oml()
    assert name in found["index.html"].decode()


def test_records_that_were_merged_are_the_patients(
    report: Report, technician: User, administrator: User
) -> None:
    twin = register(technician, TWIN)
    merge(twin, report.case.patient, administrator)
    found = members(made(report.case.patient, administrator))
    assert TWIN.mrn in found["index.html"].decode()
    assert len(json.loads(found["data/classifier.patient.json"])) == 2


def test_a_withdrawn_case_may_be_anothers_and_shows_nothing(
    report: Report, administrator: User
) -> None:
    Case.objects.filter(pk=report.case_id).update(status="entered_in_error")
    found = members(made(report.case.patient, administrator))
    assert not [name for name in found if name.startswith(("pictures/", "reports/"))]
    assert "data/classifier.cell.json" not in found
    assert "entered in error" in found["README.txt"].decode()


def test_what_cannot_be_read_is_named(report: Report, administrator: User) -> None:
    spoil(Path(report.pdf.path))
    image = report.case.images.all()[0]
    Path(image.file.path).unlink()
    copy = patient_copies.request_copy(
        actor=administrator, patient=report.case.patient, copy_id=uuid.uuid4(), purpose="Letter"
    )
    patient_copies.make_next_copy()
    copy.refresh_from_db()
    found = members(copy)
    missing = found["README.txt"].decode().split("Not to be had:")[1]
    assert str(image.pk) in missing
    assert "Errno" not in missing, "no place of this machine"
    assert f"reports/{report.file_stem}.pdf" in missing
    assert f"reports/{report.file_stem}.pdf" not in found


def test_asking_making_and_taking_stand_in_the_trail(
    report: Report, administrator: User, client_for: ClientFor
) -> None:
    patient = report.case.patient
    copy = made(patient, administrator)
    browser = client_for(administrator)
    answer = browser.get(reverse("retention:patient_copy", args=[copy.pk]))
    assert answer.getvalue()[:2] == b"PK"
    actions = AuditEvent.objects.filter(target_id=copy.pk).order_by("at")
    assert list(actions.values_list("action", flat=True)) == [
        "patient_copy.requested", "patient_copy.made", "patient_copy.exported",
    ]  # fmt: skip
    assert {event.patient_id for event in actions} == {patient.pk}
    assert "downloaded" in text_of(
        browser.get(reverse("classifier:patient_readings", args=[patient.pk]))
    )


def test_it_is_sealed_and_goes_after_a_week(report: Report, administrator: User) -> None:
    copy = made(report.case.patient, administrator)
    assert Path(copy.file.path).read_bytes().startswith(b"HVAULT")
    path = Path(copy.file.path)
    assert copy.expires_at
    assert copy.expires_at > timezone.now() + timedelta(days=6)
    patient_copies.tend_copies()
    assert path.exists()
    PatientCopy.objects.filter(pk=copy.pk).update(expires_at=timezone.now())
    patient_copies.tend_copies()
    copy.refresh_from_db()
    assert copy.status == CopyStatus.DELETED
    assert not path.exists()
    with pytest.raises(GuardFailed, match="not there any more"):
        patient_copies.open_copy(copy=copy, actor=administrator)


def test_only_who_keeps_records_and_reads_the_trail_may_ask(
    report: Report, technician: User, pathologist: User
) -> None:
    for actor in (technician, pathologist):
        with pytest.raises(NotPermitted):
            made(report.case.patient, actor)


def test_a_restricted_record_stays_shut(
    report: Report, administrator: User, keeper: User, client_for: ClientFor
) -> None:
    patient = report.case.patient
    copy = made(patient, administrator)
    asked = patient_copies.request_copy(
        actor=administrator, patient=patient, copy_id=uuid.uuid4(), purpose="Another letter"
    )
    restrict(keeper, patient)
    with pytest.raises(NotPermitted, match="not open"):
        patient_copies.open_copy(copy=copy, actor=administrator)
    patient_copies.make_next_copy()
    asked.refresh_from_db()
    assert (asked.status, asked.problem) == (CopyStatus.FAILED, patient_copies.CLOSED)
    gone = client_for(administrator).get(reverse("retention:patient_copy", args=[copy.pk]))
    assert gone.status_code == 404


def test_an_emergency_opens_a_record_for_reading_alone(
    report: Report, administrator: User, keeper: User
) -> None:
    patient = report.case.patient
    restrict(keeper, patient)
    emergencies.break_glass(
        actor=administrator,
        patient_id=patient.pk,
        access_id=uuid.uuid4(),
        cause="cover",
        words="Nobody else.",
    )
    assert Patient.objects.visible_to(administrator).filter(pk=patient.pk).exists()
    with pytest.raises(NotPermitted, match="emergency only"):
        made(patient, administrator)


def test_a_worker_that_vanished_is_followed_by_another(report: Report, administrator: User) -> None:
    copy = patient_copies.request_copy(
        actor=administrator, patient=report.case.patient, copy_id=uuid.uuid4(), purpose="Letter"
    )
    first = patient_copies._claim()
    assert first is not None
    assert patient_copies._claim() is None
    PatientCopy.objects.filter(pk=copy.pk).update(lease_expires_at=timezone.now())
    with patch.object(patient_copies, "MOST_ATTEMPTS", 1):
        patient_copies.make_next_copy()
    copy.refresh_from_db()
    assert (copy.status, copy.problem) == (CopyStatus.FAILED, patient_copies.STOPPED)


def test_the_page_asks_follows_and_deletes(
    report: Report, administrator: User, client_for: ClientFor
) -> None:
    browser = client_for(administrator)
    where = reverse("retention:patient_copies", args=[report.case.patient_id])
    assert "No archives yet" in text_of(browser.get(where))
    assert browser.post(where, {"copy_id": uuid.uuid4(), "purpose": " "}).status_code == 422
    form = {"copy_id": uuid.uuid4(), "purpose": "Letter of 3 May"}
    for _ in range(2):
        assert browser.post(where, form).status_code == 302
    copy = PatientCopy.objects.get()
    waiting = browser.get(where, headers={"HX-Request": "true"})
    assert b'hx-trigger="every 3s"' in waiting.content
    patient_copies.make_next_copy()
    assert "Download Letter of 3 May" in text_of(browser.get(where))
    browser.post(reverse("retention:patient_copy_delete", args=[copy.pk]))
    copy.refresh_from_db()
    assert copy.status == CopyStatus.DELETED
    page = browser.get(report.case.patient.get_absolute_url())
    assert where in page.content.decode()
