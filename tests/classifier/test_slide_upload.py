"""Sending a whole slide in parts, and what the worker says of it."""

import hashlib
import shutil
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from accounts.models import AuditEvent, User
from benchmarks.drawn_slides import write_dicom
from classifier.enums import CaseStatus, SlideStatus
from classifier.models import Case, Slide
from classifier.services import slide_uploads, slide_work
from classifier.tasks import tend_slides, work_on_slides
from tests.clinical import picture_bytes
from tests.slides import MakeSlide, checked, is_stored, read_whole
from vault.models import StoredFile

SignIn = Callable[[User], Client]
Captured = Callable[..., Any]
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def desk(technician: User, client_for: SignIn) -> Client:
    """A technician's browser."""
    return client_for(technician)


def begin(desk: Client, case: Case, *files: tuple[str, int], modified: int = 7):  # type: ignore[no-untyped-def]
    url = reverse("classifier:case_slides_upload", args=[case.pk])
    offered = [{"name": name, "size": size, "modified": modified} for name, size in files]
    return desk.post(url, {"files": offered}, content_type="application/json")


def put(desk: Client, url: str, offset: int | str, data: bytes, **more: Any):  # type: ignore[no-untyped-def]
    content_type = "application/octet-stream"
    return desk.put(f"{url}?offset={offset}", data, content_type=content_type, **more)


class TestParts:
    def test_a_slide_arrives_in_parts(self, desk: Client, case: Case, smear: Path) -> None:
        data = smear.read_bytes()
        answer = begin(desk, case, ("smear.svs", len(data)))
        assert answer.status_code == 201
        (file,) = answer.json()["files"]
        half = len(data) // 2
        assert put(desk, file["url"], 0, data[:half]).json()["received"] == half
        slide = Slide.objects.get()
        assert slide.status == SlideStatus.UPLOADING
        assert put(desk, file["url"], half, data[half:]).json()["received"] == len(data)
        slide.refresh_from_db()
        assert slide.status == SlideStatus.CHECKING
        assert read_whole(slide) == data
        after = AuditEvent.objects.get(action="slide.added").after
        assert after == {"slide": str(slide.pk), "bytes": len(data)}
        assert put(desk, file["url"], half, data[half:]).json()["expected"] == len(data)

    @pytest.mark.parametrize("offset", [0, 50, 150, 10**9], ids=str)
    def test_a_part_out_of_place_is_answered_with_the_byte_expected(
        self, desk: Client, case: Case, offset: int
    ) -> None:
        (file,) = begin(desk, case, ("smear.svs", 300)).json()["files"]
        put(desk, file["url"], 0, bytes(100))
        answer = put(desk, file["url"], offset, bytes(100))
        assert (answer.status_code, answer.json()["code"]) == (409, "offset")
        assert answer.json()["expected"] == 100
        assert put(desk, file["url"], 100, bytes(100)).status_code == 200

    def test_nothing_is_taken_beyond_the_end(self, desk: Client, case: Case) -> None:
        (file,) = begin(desk, case, ("smear.svs", 300)).json()["files"]
        assert put(desk, file["url"], 0, bytes(301)).status_code == 409

    def test_goes_on_where_it_broke_off(self, desk: Client, case: Case) -> None:
        first = begin(desk, case, ("smear.svs", 300)).json()
        put(desk, first["files"][0]["url"], 0, bytes(100))
        again = begin(desk, case, ("smear.svs", 300)).json()
        assert again["id"] == first["id"]
        assert again["files"][0]["received"] == 100
        other = begin(desk, case, ("smear.svs", 300), modified=8).json()
        assert other["id"] != first["id"]

    def test_what_a_crash_left_of_a_part_is_written_again(self, desk: Client, case: Case) -> None:
        (file,) = begin(desk, case, ("smear.svs", 300)).json()["files"]
        put(desk, file["url"], 0, b"a" * 100)
        slide = Slide.objects.get()
        name = slide.files.get().piece_name(100)
        default_storage.save(name, ContentFile(b"x" * 30))
        StoredFile.objects.filter(pk=name).delete()
        put(desk, file["url"], 100, b"b" * 50)
        assert read_whole(slide) == b"a" * 100 + b"b" * 50

    @pytest.mark.parametrize("offset", ["", "-1", "x", "9" * 30])
    def test_needs_an_offset(self, desk: Client, case: Case, offset: str) -> None:
        (file,) = begin(desk, case, ("smear.svs", 300)).json()["files"]
        assert put(desk, file["url"], offset, bytes(10)).status_code == 400

    def test_refuses_a_part_that_is_too_large_or_was_cut(self, desk: Client, case: Case) -> None:
        (file,) = begin(desk, case, ("smear.svs", 10**9)).json()["files"]
        large = put(desk, file["url"], 0, b"", CONTENT_LENGTH=slide_uploads.PART_BYTES + 1)
        assert large.status_code == 413
        assert put(desk, file["url"], 0, b"").status_code == 413
        assert put(desk, file["url"].replace("/0/", "/3/"), 0, b"a").status_code == 404

    def test_needs_the_token_of_the_page(self, technician: User, case: Case) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(technician, backend="django.contrib.auth.backends.ModelBackend")
        assert begin(strict, case, ("smear.svs", 300)).status_code == 403


class TestOffers:
    def test_refuses_a_slide_over_the_limit(
        self, desk: Client, case: Case, settings: Settings
    ) -> None:
        settings.MAX_SLIDE_BYTES = 1024**3
        answer = begin(desk, case, ("smear.svs", 1024**3 + 1))
        assert answer.status_code == 413
        assert answer.json()["detail"] == "The slide is larger than 1 GB."

    def test_refuses_what_would_fill_the_disk(
        self, desk: Client, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = Usage(10**12, 0, slide_uploads.LEFT_FREE + 1024**3)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        assert begin(desk, case, ("one.svs", 700 * 1024**2)).status_code == 201
        answer = begin(desk, case, ("two.svs", 700 * 1024**2))
        assert (answer.status_code, answer.json()["code"]) == (507, "no_room")
        assert "it takes 0.7 GB, and 0.3 GB are free" in answer.json()["detail"]

    @pytest.mark.parametrize(
        ("files", "code"),
        [
            ([("empty.svs", 0)], "empty"),
            ([("one.svs", 5), ("two.svs", 5)], "not_a_series"),
            ([(f"{number}.dcm", 5) for number in range(65)], "too_many"),
        ],
    )
    def test_refuses_what_is_no_slide(
        self, desk: Client, case: Case, files: list[tuple[str, int]], code: str
    ) -> None:
        answer = begin(desk, case, *files)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert not Slide.objects.exists()

    def test_needs_files(self, desk: Client, case: Case) -> None:
        assert begin(desk, case).status_code == 400

    def test_only_while_the_case_is_registered(self, desk: Client, case: Case) -> None:
        (file,) = begin(desk, case, ("smear.svs", 300)).json()["files"]
        Case.objects.filter(pk=case.pk).update(status=CaseStatus.CANCELLED)
        assert begin(desk, case, ("other.svs", 300)).status_code == 409
        assert put(desk, file["url"], 0, bytes(10)).status_code == 409

    def test_only_by_those_who_upload(
        self, client_for: SignIn, pathologist: User, desk: Client, case: Case
    ) -> None:
        (file,) = begin(desk, case, ("smear.svs", 300)).json()["files"]
        other = client_for(pathologist)
        assert begin(other, case, ("smear.svs", 300)).status_code == 403
        assert put(other, file["url"], 0, bytes(10)).status_code == 403


class TestChecking:
    def test_a_slide_becomes_ready(self, case: Case, smear: Path, slide: Slide) -> None:
        assert slide.status == SlideStatus.READY
        assert (slide.width, slide.height) == (6 * 1024, 5 * 1024)
        assert slide.microns_per_pixel == pytest.approx(0.25)
        assert slide.vendor == "generic-tiff"
        assert slide.original_sha256 == hashlib.sha256(smear.read_bytes()).hexdigest()
        with slide.thumbnail.open("rb") as file:
            assert Image.open(file).size == (640, 533)
        event = AuditEvent.objects.get(action="slide.checked")
        assert event.actor == User.system()
        assert case.accession_number == event.target_label

    def test_file_names_tell_nothing(self, slide: Slide) -> None:
        folders, names = default_storage.listdir(slide.folder)
        assert not folders
        assert set("".join(names)) <= set("0123456789-")
        assert str(slide.pk) in str(slide.thumbnail.name)

    def test_a_dicom_series_is_one_slide(
        self, case: Case, tmp_path: Path, upload_slide: MakeSlide
    ) -> None:
        paths = write_dicom(tmp_path, [".mm.", ".mm."])
        slide = checked(upload_slide(case, *reversed(paths)))
        assert (slide.status, slide.vendor) == (SlideStatus.READY, "dicom")
        assert (slide.width, slide.height) == (4096, 2048)
        assert slide.files.count() == 3
        assert len(slide.original_sha256) == 64

    @pytest.mark.parametrize(
        ("make", "word"),
        [
            (lambda data: b"hello" * 100, "not a slide file"),
            (lambda data: picture_bytes(), "ordinary picture"),
            (lambda data: data[: len(data) // 3], "damaged"),
        ],
        ids=["text", "picture", "cut"],
    )
    def test_a_file_that_is_none_is_refused_and_not_kept(
        self,
        case: Case,
        smear: Path,
        tmp_path: Path,
        upload_slide: MakeSlide,
        django_capture_on_commit_callbacks: Captured,
        make: Callable[[bytes], bytes],
        word: str,
    ) -> None:
        path = tmp_path / "scan.svs"
        path.write_bytes(make(smear.read_bytes()))
        slide = upload_slide(case, path)
        with django_capture_on_commit_callbacks(execute=True):
            checked(slide)
        assert slide.status == SlideStatus.REFUSED
        assert word in slide.problem
        assert not is_stored(slide)
        assert AuditEvent.objects.get(action="slide.refused").reason == slide.problem

    def test_the_same_slide_is_kept_once(
        self, case: Case, slide: Slide, smear: Path, upload_slide: MakeSlide
    ) -> None:
        twin = checked(upload_slide(case, smear))
        assert (twin.status, twin.problem) == (SlideStatus.REFUSED, slide_work.TWIN)

    def test_a_file_that_lost_its_end_is_refused(
        self, case: Case, smear: Path, upload_slide: MakeSlide
    ) -> None:
        slide = upload_slide(case, smear)
        default_storage.delete(slide.stored_files()[0][-1])
        assert checked(slide).problem == slide_work.INCOMPLETE

    def test_a_message_too_many_finds_nothing_to_do(self, slide: Slide) -> None:
        work_on_slides()
        assert AuditEvent.objects.filter(action="slide.checked").count() == 1

    def test_a_slide_whose_worker_died_is_taken_up_again(
        self, case: Case, smear: Path, upload_slide: MakeSlide
    ) -> None:
        slide = upload_slide(case, smear)
        assert slide_work.claim_slide() == slide
        assert slide_work.claim_slide() is None
        Slide.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        assert checked(slide).is_ready

    def test_what_a_slow_worker_brings_late_is_dropped(
        self, case: Case, smear: Path, upload_slide: MakeSlide
    ) -> None:
        upload_slide(case, smear)
        slow = slide_work.claim_slide()
        assert slow is not None
        Slide.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        assert checked(slow).is_ready
        slow.status, slow.attempt = SlideStatus.CHECKING, 1
        slide_work.check_slide(slow)
        assert AuditEvent.objects.filter(action="slide.checked").count() == 1

    def test_is_given_up_after_several_attempts(
        self, case: Case, smear: Path, upload_slide: MakeSlide
    ) -> None:
        slide = upload_slide(case, smear)
        Slide.objects.update(attempt=slide_work.MOST_ATTEMPTS)
        assert checked(slide).problem == slide_work.STOPPED

    def test_removed_while_it_is_checked(
        self, case: Case, smear: Path, upload_slide: MakeSlide
    ) -> None:
        upload_slide(case, smear)
        claim = slide_work.claim_slide()
        assert claim is not None
        Slide.objects.get().delete()
        slide_work.check_slide(claim)
        assert not Slide.objects.exists()


class TestTending:
    def test_removes_uploads_that_were_given_up(
        self, desk: Client, case: Case, django_capture_on_commit_callbacks: Captured
    ) -> None:
        (file,) = begin(desk, case, ("smear.svs", 300)).json()["files"]
        put(desk, file["url"], 0, bytes(10))
        slide = Slide.objects.get()
        tend_slides()
        assert default_storage.exists(slide.stored_files()[0][0])
        Slide.objects.update(last_part_at=timezone.now() - timedelta(days=1, minutes=1))
        with django_capture_on_commit_callbacks(execute=True):
            tend_slides()
        assert not Slide.objects.exists()
        assert not is_stored(slide)
        assert AuditEvent.objects.get(action="slide.removed").actor == User.system()

    def test_calls_a_worker_for_what_waits(
        self,
        case: Case,
        smear: Path,
        upload_slide: MakeSlide,
        django_capture_on_commit_callbacks: Captured,
    ) -> None:
        with django_capture_on_commit_callbacks() as nothing:
            tend_slides()
        assert not nothing
        upload_slide(case, smear)
        with django_capture_on_commit_callbacks() as hints:
            tend_slides()
        assert len(hints) == 1
