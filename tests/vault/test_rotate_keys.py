"""Another key for all stored files, while they are read."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import AuditEvent
from vault import keys
from vault.models import StoredFile
from vault.sealing import HEADER_BYTES, read_header
from vault.services import rotation
from vault.storage import VaultStorage

NAMES = [f"images/{number}.png" for number in range(5)]


def key_of(storage: VaultStorage, name: str) -> bytes:
    source = storage.store.open(name)
    try:
        return read_header(source.read_at(0, HEADER_BYTES)).key_id
    finally:
        source.close()


def content(storage: VaultStorage, name: str) -> bytes:
    with storage.open(name) as file:
        data: bytes = file.read()
        return data


@pytest.fixture
def stored(storage: VaultStorage) -> VaultStorage:
    for name in NAMES:
        storage.save(name, ContentFile(name.encode() * 20_000))
    return storage


def test_every_file_comes_under_the_new_key(stored: VaultStorage) -> None:
    old = keys.load_keyring().current
    out = StringIO()

    call_command("rotate_keys", "--new", stdout=out)

    new = keys.load_keyring().current
    assert new != old
    assert old in keys.load_keyring().keys, "backups need it"
    assert {key_of(stored, name) for name in NAMES} == {new.id}
    assert all(content(stored, name) == name.encode() * 20_000 for name in NAMES)
    assert f"5 wrapped anew, 0 sealed for the first time. The current key is {new.name}" in (
        out.getvalue()
    )
    event = AuditEvent.objects.get(action="vault.keys_rotated")
    assert event.after
    assert event.after["key"] == new.name
    assert new.as_text() not in event.payload


def test_goes_on_where_it_was_stopped(stored: VaultStorage) -> None:
    class Stopped(Exception):
        pass

    def stop(done: rotation.Rotated) -> None:
        if done.files == 2:
            raise Stopped

    rotation.make_new_key()
    with pytest.raises(Stopped):
        rotation.rotate(progress=stop)
    assert len({key_of(stored, name) for name in NAMES}) == 2
    assert all(content(stored, name) == name.encode() * 20_000 for name in NAMES)

    done = rotation.rotate(progress=lambda done: None)

    assert (done.files, done.rewrapped) == (5, 3)
    assert rotation.rotate(progress=lambda done: None).rewrapped == 0


def test_a_reader_of_the_old_form_reads_on(stored: VaultStorage) -> None:
    with stored.open(NAMES[0]) as file:
        begun = file.read(10)
        if not hasattr(stored.store, "root"):
            file.read()
            return
        call_command("rotate_keys", "--new", stdout=StringIO())
        assert begun + file.read() == NAMES[0].encode() * 20_000


def test_a_process_with_the_keys_of_before_finds_the_new_one(stored: VaultStorage) -> None:
    before = keys.load_keyring()
    call_command("rotate_keys", "--new", stdout=StringIO())

    assert before.find(keys.load_keyring().current.id) == keys.load_keyring().current


def test_files_from_before_are_sealed_and_listed(storage: VaultStorage) -> None:
    storage.store.put("images/old.png", lambda target: target.write(b"plain" * 9000))
    out = StringIO()

    call_command("rotate_keys", stdout=out)

    assert "1 sealed for the first time" in out.getvalue()
    assert content(storage, "images/old.png") == b"plain" * 9000
    assert StoredFile.objects.get().size == 45_000
    source = storage.store.open("images/old.png")
    assert b"plain" not in source.read_at(0, source.size)
    source.close()


def test_a_damaged_file_is_passed_by_and_told(stored: VaultStorage) -> None:
    entry = stored.store.find(NAMES[2])
    assert entry is not None
    assert stored.store.replace(entry, lambda target: target.write(b"HVAULT\n nonsense"))

    with pytest.raises(CommandError, match="1 could not be"):
        call_command("rotate_keys", "--new", stdout=StringIO())

    current = keys.load_keyring().current
    assert all(key_of(stored, name) == current.id for name in NAMES if name != NAMES[2])


def test_keys_of_the_environment_are_not_made_here(settings: Settings, own_keys: Path) -> None:
    settings.VAULT_KEYS = [keys.Key.make().as_text()]
    with pytest.raises(CommandError, match="VAULT_KEYS"):
        call_command("rotate_keys", "--new", stdout=StringIO())
