"""Reading all stored files and comparing them with the database."""

from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from classifier.models import Case
from tests.clinical import MakeImage
from tests.spoiling import last_bit_flipped
from vault import keys
from vault.models import StoredFile
from vault.storage import VaultStorage


def check() -> tuple[bool, str]:
    """Run the command; return whether it found all sound, and what it said."""
    said = StringIO()
    try:
        call_command("check_vault", stdout=said, stderr=said)
    except CommandError:
        return False, said.getvalue()
    return True, said.getvalue()


@pytest.fixture
def stored(storage: VaultStorage) -> VaultStorage:
    for name in ("a.png", "b.png", "c.pdf"):
        storage.save(name, ContentFile(name.encode() * 40_000))
    return storage


def test_says_that_all_is_there(stored: VaultStorage) -> None:
    assert check() == (True, "3 files read, 0.6 MB.\nAll stored files are there and whole.\n")
    assert AuditEvent.objects.get(action="vault.checked").after == {"files": 3, "bytes": 600_000}


def test_finds_what_is_missing_damaged_and_foreign(stored: VaultStorage) -> None:
    stored.store.delete("a.png")
    entry = stored.store.find("b.png")
    assert entry is not None
    source = stored.store.open("b.png")
    bytes_of_b = source.read_at(0, source.size)
    source.close()
    stored.store.replace(entry, lambda target: target.write(last_bit_flipped(bytes_of_b)))
    stored.store.put("copy-of-b.png", lambda target: target.write(bytes_of_b))
    stored.store.put("old.png", lambda target: target.write(b"plain"))

    is_sound, said = check()

    assert not is_sound
    for line in ("1 missing", "1 damaged", "1 foreign", "1 not sealed yet", "  copy-of-b.png"):
        assert line in said


def test_finds_content_that_is_not_what_the_database_says(stored: VaultStorage) -> None:
    StoredFile.objects.filter(pk="a.png").update(sha256="0" * 64)
    is_sound, said = check()
    assert not is_sound
    assert "1 damaged" in said
    assert "  a.png" in said


def test_finds_files_whose_key_is_lost(stored: VaultStorage) -> None:
    path = keys.settings.VAULT_KEY_FILE
    keys.write_key_file(path, (keys.Key.make(),))
    is_sound, said = check()
    assert not is_sound
    assert "3 without a key" in said


def test_finds_an_image_that_is_on_no_list(
    storage: VaultStorage, case: Case, add_picture: MakeImage
) -> None:
    image = add_picture(case)
    assert check()[0]
    storage.delete(str(image.file.name))
    is_sound, said = check()
    assert not is_sound
    assert f"  {image.file.name}" in said
