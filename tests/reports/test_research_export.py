"""Exports for research: whole, explained, and without anything that says who it is."""

import csv
import hashlib
import io
import re
import uuid
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case, SmearImage
from ml.classes import CELL_CLASSES
from reports.models import Report, ResearchExport, ResearchSubject
from reports.research.columns import TABLES
from reports.research.masking import Mask
from reports.research.models import ExportStatus, random_shift
from reports.services import research
from tests.reports.conftest import ANSWERS, Sign
from tests.reviewing import cells_of

ClientFor = Callable[[User], Client]
SHIFT = timedelta(days=100, seconds=3601)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", re.IGNORECASE)


@pytest.fixture
def report(ready_case: Case, sign: Sign, correct: Callable[..., object]) -> Report:
    """A signed case with a correction, whose patient's shift is known to the test."""
    Case.objects.filter(pk=ready_case.pk).update(
        ordering_clinician="Dr. Ordera Clinicus", clinical_details="Seen by Xaveria Nursington"
    )
    ready_case.refresh_from_db()
    correct(ready_case, [0], "plasma_cell")
    ResearchSubject.objects.create(
        patient=ready_case.patient, shift_seconds=int(SHIFT.total_seconds())
    )
    return sign(ready_case)


def wish(**changed: Any) -> research.Wish:
    today = timezone.localdate()
    given: dict[str, Any] = {
        "first": today,
        "last": today,
        "with_images": True,
        "purpose": "Study 7",
    }
    return research.Wish(**(given | changed))


def made(actor: User, **changed: Any) -> ResearchExport:
    export = research.request_export(actor=actor, export_id=uuid.uuid4(), wish=wish(**changed))
    research.make_next_export()
    export.refresh_from_db()
    assert export.status == ExportStatus.READY, export.problem
    return export


def members(export: ResearchExport) -> dict[str, bytes]:
    with export.file.open("rb") as file, zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


class TestArchive:
    def test_holds_the_case_its_pictures_and_cells(self, report: Report, pathologist: User) -> None:
        found = members(made(pathologist))

        (case,) = rows(found["cases.csv"])
        images, cells = rows(found["images.csv"]), rows(found["cells.csv"])
        assert (case["plasma_cell_count"], case["neutrophil_count"]) == ("1", "3")
        assert (case["sex"], case["leukocytes"]) == ("female", "6")
        assert len(images) == len(cells) == len(ANSWERS)
        assert {row["case"] for row in (*images, *cells)} == {case["case"]}
        assert {row["image"] for row in cells} == {row["image"] for row in images}
        named = [row for row in cells if row["human_class"]]
        assert [(row["machine_class"], row["human_class"]) for row in named] == [
            ("neutrophil", "plasma_cell")
        ]
        assert float(named[0]["p_neutrophil"]) == pytest.approx(0.97)
        assert {row["counted"] for row in cells} == {"true"}

    def test_pictures_are_pixels_and_nothing_else(self, report: Report, pathologist: User) -> None:
        found = members(made(pathologist))

        files = {row["file"] for row in rows(found["images.csv"])}
        assert files == {name for name in found if name.startswith("images/")}
        masters = set()
        for image in SmearImage.objects.filter(case=report.case):
            with image.file.open("rb") as file:
                masters.add(Image.open(file).convert("RGB").tobytes())
        exported = set()
        for name in files:
            assert chunks_of(found[name]) <= {b"IHDR", b"IDAT", b"IEND"}
            picture = Image.open(io.BytesIO(found[name]))
            assert picture.info == {}
            exported.add(picture.convert("RGB").tobytes())
        assert exported == masters

    def test_can_leave_pictures_out(self, report: Report, pathologist: User) -> None:
        found = members(made(pathologist, with_images=False))

        assert not any(name.startswith("images/") for name in found)
        assert {row["file"] for row in rows(found["images.csv"])} == {""}

    def test_names_nobody(self, report: Report, pathologist: User) -> None:
        export = made(pathologist)
        found = members(export)

        texts = {name: data.decode() for name, data in found.items() if name[-4:] != ".png"}
        everything = "\n".join((*texts, *found, *texts.values()))
        for secret in identities_of(report.case):
            assert secret not in everything, secret
        assert not UUID.search(everything)
        with export.file.open("rb") as file, zipfile.ZipFile(file) as archive:
            assert {info.date_time[0] for info in archive.infolist()} == {1980}
            assert not any(info.extra or info.comment for info in archive.infolist())

    def test_times_are_shifted_and_intervals_kept(self, report: Report, pathologist: User) -> None:
        (case,) = rows(members(made(pathologist))["cases.csv"])

        specimen, signed = report.case.specimen, report.issued_at
        shown = {
            name: datetime.fromisoformat(case[name])
            for name in ("collected_at", "received_at", "signed_at")
        }
        assert shown["collected_at"] == specimen.collected_at.replace(microsecond=0) - SHIFT
        assert shown["signed_at"] == signed.replace(microsecond=0) - SHIFT
        assert shown["received_at"] - shown["collected_at"] == timedelta(hours=1)

    def test_the_same_things_have_the_same_pseudonyms_again(
        self, report: Report, pathologist: User
    ) -> None:
        first, second = members(made(pathologist)), members(made(pathologist))

        assert first == second

    def test_every_column_written_is_explained(self, report: Report, pathologist: User) -> None:
        found = members(made(pathologist))

        explained = rows(found["data-dictionary.csv"])
        assert all(row["meaning"] and row["missing"] for row in explained)
        for name in TABLES:
            header = next(csv.reader(io.StringIO(found[name].decode())))
            assert header == [row["column"] for row in explained if row["file"] == name]
        assert {f"p_{code}" for code in CELL_CLASSES} <= {row["column"] for row in explained}

    def test_a_picture_that_cannot_be_read_is_left_out_and_the_rest_goes_on(
        self, report: Report, pathologist: User
    ) -> None:
        image = cells_of(report.case)[0].image
        image.file.storage.delete(str(image.file.name))

        found = members(made(pathologist))

        assert [row["file"] for row in rows(found["images.csv"])].count("") == 1


class TestMask:
    @pytest.mark.parametrize(("years", "shown"), [(0, 0), (89, 89), (90, 90), (104, 90)])
    def test_ages_above_89_are_one(self, years: int, shown: int) -> None:
        assert Mask.age(years) == shown

    def test_a_pseudonym_depends_on_the_key_and_the_kind(self) -> None:
        mine, other = (Mask(key, SHIFT) for key in (b"a" * 32, b"b" * 32))

        codes = {mine.code("case", 1), mine.code("cell", 1), other.code("case", 1)}

        assert len(codes) == 3
        assert mine.code("case", 1) == Mask(b"a" * 32, timedelta(1)).code("case", 1)

    def test_shifts_are_at_least_a_month_and_differ(self) -> None:
        shifts = {random_shift() for _ in range(50)}

        assert len(shifts) > 1
        assert min(shifts) >= 30 * 86_400
        assert max(shifts) < 395 * 86_400


class TestLife:
    def test_is_recorded_kept_for_a_week_and_deleted(
        self, report: Report, pathologist: User, client_for: ClientFor
    ) -> None:
        export = made(pathologist)
        client = client_for(pathologist)
        address = reverse("reports:research_archive", args=[export.pk])
        data = b"".join(client.get(address).streaming_content)  # type: ignore[attr-defined]
        assert hashlib.sha256(data).hexdigest() == export.sha256
        stored = str(export.file.name)

        research.tend_exports()
        assert export.file.storage.exists(stored)
        with time_machine.travel(timezone.now() + timedelta(days=8)):
            ResearchExport.objects.update(expires_at=timezone.now() - timedelta(days=9))
            research.tend_exports()

        export.refresh_from_db()
        assert (export.status, export.file.name) == (ExportStatus.DELETED, "")
        assert not export.file.storage.exists(stored)
        assert client.get(address).status_code == 410
        actions = AuditEvent.objects.filter(action__startswith="research.").order_by("at")
        assert list(actions.values_list("action", flat=True)) == [
            "research.requested",
            "research.made",
            "research.downloaded",
            "research.deleted",
        ]

    def test_asked_for_twice_it_is_one(self, report: Report, pathologist: User) -> None:
        export_id = uuid.uuid4()

        for _ in range(2):
            research.request_export(actor=pathologist, export_id=export_id, wish=wish())

        assert ResearchExport.objects.count() == 1

    @pytest.mark.parametrize(
        "changed", [{"first": datetime(2020, 1, 1).date(), "last": datetime(2020, 1, 2).date()}]
    )
    def test_an_empty_period_is_refused(
        self, report: Report, pathologist: User, changed: dict[str, Any]
    ) -> None:
        with pytest.raises(GuardFailed, match="No report"):
            made(pathologist, **changed)

    def test_a_period_with_too_many_cases_is_refused(
        self, report: Report, pathologist: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(research, "MOST_CASES", 0)

        with pytest.raises(GuardFailed, match="too many"):
            made(pathologist)

    def test_a_message_too_many_finds_nothing(self, report: Report, pathologist: User) -> None:
        export = made(pathologist)

        research.make_next_export()

        assert ResearchExport.objects.get(pk=export.pk).attempt == 1

    def test_what_a_vanished_worker_left_is_taken_up_again(
        self, report: Report, pathologist: User
    ) -> None:
        export = research.request_export(actor=pathologist, export_id=uuid.uuid4(), wish=wish())
        past = timezone.now() - timedelta(minutes=5)
        ResearchExport.objects.update(
            status=ExportStatus.RUNNING, attempt=1, done=1, lease_expires_at=past
        )

        research.make_next_export()

        export.refresh_from_db()
        assert (export.status, export.attempt) == (ExportStatus.READY, 2)

    def test_an_export_that_stops_again_and_again_fails_with_words(
        self, report: Report, pathologist: User
    ) -> None:
        export = research.request_export(actor=pathologist, export_id=uuid.uuid4(), wish=wish())
        ResearchExport.objects.update(attempt=research.MOST_ATTEMPTS)

        research.make_next_export()

        export.refresh_from_db()
        assert (export.status, export.problem) == (ExportStatus.FAILED, research.STOPPED)

    def test_is_refused_to_those_without_the_duty(self, report: Report, technician: User) -> None:
        with pytest.raises(NotPermitted):
            made(technician)


class TestPage:
    def test_asks_watches_and_deletes(
        self, report: Report, administrator: User, client_for: ClientFor
    ) -> None:
        client = client_for(administrator)
        url = reverse("reports:research")
        today = timezone.localdate().isoformat()
        given = {"export_id": uuid.uuid4(), "first": today, "last": today, "purpose": "Study 7"}

        client.post(url, given)
        waiting = client.get(url, headers={"HX-Request": "true"}).content.decode()
        research.make_next_export()
        ready = client.get(url).content.decode()
        export = ResearchExport.objects.get()

        assert "every 3s" in waiting
        assert "<html" not in waiting
        assert "every 3s" not in ready
        assert reverse("reports:research_archive", args=[export.pk]) in ready
        client.post(reverse("reports:research_delete", args=[export.pk]))
        export.refresh_from_db()
        assert export.status == ExportStatus.DELETED

    def test_says_what_is_wrong(
        self, report: Report, pathologist: User, client_for: ClientFor
    ) -> None:
        given = {"export_id": uuid.uuid4(), "first": "2026-02-02", "last": "2026-02-01"}

        page = client_for(pathologist).post(reverse("reports:research"), given)

        assert page.status_code == 422
        assert page.context["form"].errors.keys() == {"last", "purpose"}


def identities_of(case: Case) -> list[str]:
    """Return every word by which the case, its patient or its people could be found."""
    patient, specimen = case.patient, case.specimen
    moments = [
        patient.registered_at, case.registered_at, case.submitted_at, case.signed_at,
        specimen.collected_at, specimen.received_at, timezone.now(),
        *case.images.values_list("uploaded_at", flat=True),
    ]  # fmt: skip
    days = [patient.birth_date, *(moment.date() for moment in moments if moment)]
    people = User.objects.filter(is_system=False)
    return [
        patient.mrn,
        patient.family_name,
        patient.given_name,
        patient.mrn_issuer,
        case.accession_number,
        case.ordering_clinician,
        "Nursington",
        *(day.strftime(form) for day in days for form in ("%Y-%m-%d", "%Y%m%d", "%d %b %Y")),
        *people.values_list("full_name", flat=True),
        *people.values_list("email", flat=True),
        *case.images.values_list("original_name", flat=True),
        *case.images.values_list("original_sha256", flat=True),
    ]


def chunks_of(png: bytes) -> set[bytes]:
    """Return the kinds of chunks in a PNG file."""
    found, place = set(), 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4])
        found.add(png[place + 4 : place + 8])
        place += 12 + length
    return found
