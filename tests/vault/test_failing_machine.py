"""A full disk, a read-only database and a clock that jumps: told in words, and nothing is lost."""

import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import record
from accounts.models import AuditEvent, User
from classifier.exceptions import ImageRefused
from classifier.models import Case, SmearImage
from classifier.services.images import NO_ROOM, add_image
from tests.clinical import MakeImage, picture_bytes
from vault.models import StoredFile
from vault.services import clock
from vault.storage import VaultStorage

BYTES = 256 * 1024


@pytest.fixture
def small_disk(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of a quarter of a megabyte, on which files are stored."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={BYTES}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk of a test's own can be mounted by root alone")
    settings.MEDIA_ROOT = folder / "media"
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def noise(seed: int) -> bytes:
    """A picture of some 100 kB, as noise packs badly."""
    return picture_bytes(seed, size=(200, 200))


class TestFullDisk:
    def test_the_technician_is_told_and_nothing_is_lost(
        self, small_disk: Path, case: Case, technician: User, client_for: Callable[[User], Client]
    ) -> None:
        first = add_image(case_id=case.pk, actor=technician, data=noise(1), file_name="1.png")
        page = self._drop(client_for(technician), case, *range(2, 6))
        assert "disk is full: this picture was not stored" in page
        stored = SmearImage.objects.count()
        assert stored < 5
        assert StoredFile.objects.count() == 2 * stored
        assert len([path for path in small_disk.rglob("*") if path.is_file()]) == 2 * stored
        with first.file.open("rb") as file:
            assert file.read()

    @staticmethod
    def _drop(desk: Client, case: Case, *seeds: int) -> str:
        """Upload pictures by the form, and return the page that follows."""
        pictures = [
            SimpleUploadedFile(f"{seed}.png", noise(seed), content_type="image/png")
            for seed in seeds
        ]
        url = reverse("classifier:case_images_add", args=[case.pk])
        return desk.post(url, {"images": pictures}, follow=True).content.decode()

    def test_there_is_room_again_and_all_goes_on(
        self, small_disk: Path, case: Case, technician: User
    ) -> None:
        (small_disk / "ballast").write_bytes(bytes(BYTES - 8192))
        with pytest.raises(ImageRefused) as refusal:
            add_image(case_id=case.pk, actor=technician, data=noise(1), file_name="1.png")
        assert str(refusal.value) == NO_ROOM
        (small_disk / "ballast").unlink()

        image = add_image(case_id=case.pk, actor=technician, data=noise(1), file_name="1.png")

        assert VaultStorage().exists(str(image.file.name))


class TestReadOnlyDatabase:
    @pytest.fixture
    def desk(self, technician: User, client_for: Callable[[User], Client]) -> Iterator[Client]:
        """A client whose database takes no change from now on."""
        client = client_for(technician)
        client.raise_request_exception = False
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            yield client
            transaction.set_rollback(True)

    def test_a_page_says_so(self, case: Case, desk: Client) -> None:
        response = desk.get(case.get_absolute_url())

        assert response.status_code == 503
        assert response["Retry-After"] == "60"
        assert "The database can only be read at the moment" in response.content.decode()

    def test_so_does_an_upload_by_a_script(self, case: Case, desk: Client) -> None:
        picture = SimpleUploadedFile("a.png", picture_bytes(1), content_type="image/png")

        url = reverse("classifier:case_images_upload", args=[case.pk])
        response = desk.post(url, {"file": picture})

        assert response.status_code == 503
        assert response.json()["code"] == "read_only"

    def test_a_file_that_cannot_be_noted_is_not_kept(self, desk: Client) -> None:
        with pytest.raises(DatabaseError):
            VaultStorage().save("images/a.png", ContentFile(b"x"))
        assert not list(VaultStorage().store.walk())


class TestClock:
    def test_nothing_is_said_of_clocks_that_agree(self, case: Case) -> None:
        assert clock.watch_clock() == ""
        assert not AuditEvent.objects.filter(action="vault.clock_doubted").exists()

    @pytest.mark.parametrize(("jump", "words"), [(-90, "90 s behind"), (3600, "3600 s ahead of")])
    def test_a_clock_that_is_off_is_noticed(self, db: None, jump: int, words: str) -> None:
        with time_machine.travel(timezone.now() + timedelta(seconds=jump)):
            assert words in clock.watch_clock()
        assert AuditEvent.objects.filter(action="vault.clock_doubted").count() == 1

    def test_a_clock_that_was_set_back_is_noticed_once_an_hour(
        self, case: Case, technician: User
    ) -> None:
        with time_machine.travel(timezone.now() + timedelta(minutes=10)), transaction.atomic():
            record(actor=technician, action="patient.viewed", target=None)

        assert "a clock was set back" in clock.watch_clock()
        assert "a clock was set back" in clock.watch_clock()
        assert AuditEvent.objects.filter(action="vault.clock_doubted").count() == 1


def test_a_store_that_fails_leaves_no_half_picture(
    case: Case, technician: User, add_picture: MakeImage, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path / "file"
    settings.MEDIA_ROOT.write_text("no folder")

    with pytest.raises(ImageRefused, match="does not answer"):
        add_picture(case)
    assert not SmearImage.objects.exists()
    assert not StoredFile.objects.exists()
