"""The storage of the laboratory's files, over a folder and over an object store alike."""

import io
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.http import FileResponse
from pytest_django import Settings

from tests.vault.conftest import free_port, raw_client, use_bucket
from vault import keys
from vault.exceptions import Damaged, KeysUnusable, StoreAway
from vault.models import StoredFile
from vault.storage import VaultStorage, delete_folder
from vault.stores.s3 import store_at

DATA = bytes(range(256)) * 2000
NAME = "images/case/picture.png"


class TestFiles:
    def test_gives_back_what_was_stored(self, storage: VaultStorage) -> None:
        name = storage.save(NAME, ContentFile(DATA))

        with storage.open(name) as file:
            assert file.read() == DATA
            file.seek(300_001)
            assert file.read(7) == DATA[300_001:300_008]
        assert storage.exists(name)
        assert storage.size(name) == len(DATA)
        assert storage.listdir("images") == (["case"], [])
        assert storage.listdir("images/case") == ([], ["picture.png"])

    def test_the_store_sees_nothing_plain(self, storage: VaultStorage) -> None:
        storage.save(NAME, ContentFile(b"A drop of blood. " * 100))

        source = storage.store.open(NAME)
        stored = source.read_at(0, source.size)
        source.close()
        assert stored.startswith(b"HVAULT")
        assert b"blood" not in stored

    def test_nothing_is_overwritten(self, storage: VaultStorage) -> None:
        first = storage.save(NAME, ContentFile(b"first"))
        second = storage.save(NAME, ContentFile(b"second"))

        assert first != second
        with pytest.raises(FileExistsError):
            storage.store.put(first, lambda target: None)
        with storage.open(first) as file:
            assert file.read() == b"first"

    def test_a_file_is_opened_again(self, storage: VaultStorage) -> None:
        storage.save(NAME, ContentFile(DATA))
        file = storage.open(NAME)
        with file:
            file.read()
        with file.open() as again:
            assert again.read(3) == DATA[:3]

    def test_a_missing_file_is_said_to_be(self, storage: VaultStorage) -> None:
        assert not storage.exists("no/such")
        with pytest.raises(FileNotFoundError):
            storage.open("no/such")
        storage.delete("no/such")

    def test_files_go_with_their_rows(self, storage: VaultStorage) -> None:
        storage.save("slides/a/0-0", ContentFile(b"1"))
        storage.save("slides/a/0-1", ContentFile(b"2"))
        storage.save("slides/ab/0-0", ContentFile(b"3"))
        assert StoredFile.objects.count() == 3

        delete_folder("slides/a")

        assert [row.name for row in StoredFile.objects.all()] == ["slides/ab/0-0"]
        assert storage.exists("slides/ab/0-0")

    def test_another_file_put_in_its_place_does_not_open(self, storage: VaultStorage) -> None:
        storage.save("a.png", ContentFile(b"the patient's"))
        storage.save("b.png", ContentFile(b"another's"))
        swap(storage, "a.png", "b.png")

        with pytest.raises(Damaged), storage.open("a.png") as file:
            file.read()

    def test_nor_does_a_plain_one(self, storage: VaultStorage) -> None:
        storage.save("a.png", ContentFile(b"the patient's"))
        entry = storage.store.find("a.png")
        assert entry is not None
        storage.store.replace(entry, lambda target: target.write(b"plain and forged" * 20))

        with pytest.raises(Damaged, match="replaced"):
            storage.open("a.png")

    def test_one_from_before_files_were_sealed_is_read(self, storage: VaultStorage) -> None:
        storage.store.put("old.png", lambda target: target.write(DATA))

        with storage.open("old.png") as file:
            assert file.read() == DATA

    def test_is_sent_as_what_it_holds(self, storage: VaultStorage) -> None:
        storage.save(NAME, ContentFile(DATA))

        response = FileResponse(storage.open(NAME))

        assert response["Content-Length"] == str(len(DATA))
        assert response.file_to_stream is not None
        with pytest.raises(io.UnsupportedOperation):
            response.file_to_stream.fileno()
        assert b"".join(response.streaming_content) == DATA  # type: ignore[arg-type]
        response.close()

    def test_a_replacement_that_comes_late_changes_nothing(self, storage: VaultStorage) -> None:
        storage.save(NAME, ContentFile(b"one"))
        entry = storage.store.find(NAME)
        assert entry is not None
        storage.store.delete(NAME)

        assert not storage.store.replace(entry, lambda target: target.write(b"x"))
        assert not storage.exists(NAME)


class TestTransactions:
    def test_a_row_falls_with_its_transaction(self, storage: VaultStorage) -> None:
        with transaction.atomic():
            storage.save(NAME, ContentFile(b"x"))
            transaction.set_rollback(True)
        assert not StoredFile.objects.exists()

    def test_a_file_is_removed_in_a_transaction_that_failed(self, storage: VaultStorage) -> None:
        with transaction.atomic():
            storage.save(NAME, ContentFile(b"x"))
            transaction.set_rollback(True)
            storage.delete(NAME)
        assert not storage.exists(NAME)


class TestKeys:
    def test_the_first_key_is_made_for_the_owner_alone(self, storage: VaultStorage) -> None:
        storage.save(NAME, ContentFile(b"x"))

        path = Path(keys.settings.VAULT_KEY_FILE)
        assert path.stat().st_mode & 0o777 == 0o600
        assert len(keys.load_keyring().keys) == 1

    def test_no_key_is_made_where_there_was_one(
        self, storage: VaultStorage, own_keys: Path
    ) -> None:
        storage.save(NAME, ContentFile(b"x"))
        own_keys.unlink()

        with pytest.raises(KeysUnusable, match="Put it back"):
            storage.save("other.png", ContentFile(b"y"))
        with pytest.raises(KeysUnusable, match="is gone"):
            storage.open(NAME)
        assert not own_keys.exists()

    def test_keys_of_the_environment_go_first(
        self, storage: VaultStorage, settings: Settings, own_keys: Path
    ) -> None:
        old, new = keys.Key.make(), keys.Key.make()
        settings.VAULT_KEYS = [old.as_text()]
        storage.save("old.png", ContentFile(b"old"))
        settings.VAULT_KEYS = [new.as_text(), old.as_text()]
        storage.save("new.png", ContentFile(b"new"))

        assert storage.open("old.png").read() == b"old"
        settings.VAULT_KEYS = [new.as_text()]
        assert storage.open("new.png").read() == b"new"
        with pytest.raises(OSError, match=old.name):
            storage.open("old.png")
        assert not own_keys.exists()


class TestAway:
    def test_a_store_that_is_away_is_said_to_be(self, settings: Settings, db: None) -> None:
        use_bucket(settings, f"http://127.0.0.1:{free_port()}", "nobody")

        with pytest.raises(StoreAway, match="does not answer"):
            VaultStorage().store.check()

    def test_a_bucket_that_is_not_ours_is_said_to_be(
        self, settings: Settings, s3_server: str
    ) -> None:
        use_bucket(settings, s3_server, "no-such-bucket")

        with pytest.raises(OSError, match=r"no-such-bucket|^$"):
            VaultStorage().store.check()

    def test_an_address_that_is_none_is_refused(self) -> None:
        with pytest.raises(StoreAway, match="s3://"):
            store_at("http://somewhere/else")


def test_nothing_unfinished_is_left_by_a_write_that_fails(
    settings: Settings, db: None, own_keys: Path
) -> None:
    def fail(target: object) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        VaultStorage().store.put("a/b.png", fail)
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_names_do_not_lead_out(own_keys: Path, db: None) -> None:
    for name in ("../out", "a/../../out", "/etc/passwd"):
        with pytest.raises(Exception, match=r"traversal|outside"):
            VaultStorage().save(name, ContentFile(b"x"))


def test_objects_lie_under_the_prefix(
    bucket: str, s3_server: str, own_keys: Path, db: None
) -> None:
    VaultStorage().save(NAME, ContentFile(b"x"))

    listed = raw_client(s3_server).list_objects_v2(Bucket=bucket)["Contents"]
    assert [found["Key"] for found in listed] == [f"first/site/{NAME}"]


def swap(storage: VaultStorage, one: str, other: str) -> None:
    """Put the stored bytes of ``other`` where those of ``one`` are."""
    source = storage.store.open(other)
    stored = source.read_at(0, source.size)
    source.close()
    entry = storage.store.find(one)
    assert entry is not None
    assert storage.store.replace(entry, lambda target: target.write(stored))
