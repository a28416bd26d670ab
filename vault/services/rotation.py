"""Bringing every stored file under the current key, while the laboratory works."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from vault.keys import Key, Keyring, add_key, load_keyring
from vault.models import StoredFile
from vault.sealing import HEADER_BYTES, Sealed, is_sealed, read_header, rewrap, seal
from vault.storage import current_key, open_stored
from vault.stores import Entry, Source, Store, the_store

_AT_ONCE: Final = 1024 * 1024

Progress = Callable[["Rotated"], None]


@dataclass(slots=True)
class Rotated:
    """What was done so far."""

    files: int = 0
    rewrapped: int = 0
    sealed: int = 0
    passed: int = 0
    """Files that could not be brought under the key; `check_vault` says what is wrong with them."""


def make_new_key() -> Key:
    """Put a new key first in the key file: whatever is stored from now on is stored under it."""
    current_key()
    key = Key.make()
    add_key(key)
    return key


def rotate(*, progress: Progress) -> Rotated:
    """Wrap each file's own key by the current key; seal what lies there plain.

    What is under the current key already is passed over, so an interrupted run is simply run
    again. Files are readable at every moment, and one that changes meanwhile is left alone.
    """
    key, done, store = current_key(), Rotated(), the_store()
    ring = load_keyring()
    for entry in list(store.walk()):
        done.files += 1
        try:
            _bring_under(store, entry, ring, key, done)
        except FileNotFoundError:
            continue
        except OSError:
            done.passed += 1
        progress(done)
    with transaction.atomic():
        after = {"key": key.name, **asdict(done)}
        record(actor=User.system(), action="vault.keys_rotated", target=None, after=after)
    return done


def _bring_under(store: Store, entry: Entry, ring: Keyring, key: Key, done: Rotated) -> None:
    source = store.open(entry.name)
    try:
        head = source.read_at(0, HEADER_BYTES)
        if not is_sealed(head):
            done.sealed += _seal_plain(store, entry, key)
            return
        header = read_header(head)
        if header.key_id != key.id:
            anew = rewrap(header, name=entry.name, keys=ring, key=key).to_bytes()
            if not store.replace(entry, lambda target: _copy(source, target, anew)):
                return
            done.rewrapped += 1
    finally:
        source.close()
    StoredFile.objects.filter(pk=entry.name).exclude(key_id=key.name).update(key_id=key.name)


def _seal_plain(store: Store, entry: Entry, key: Key) -> bool:
    """Seal a file from before files were sealed; refuse one that the list knows as sealed."""
    made: list[Sealed] = []
    with open_stored(store, entry.name) as plain:

        def write(target: BinaryIO) -> None:
            blocks = iter(lambda: plain.read(_AT_ONCE), b"")
            made.append(seal(blocks, target, name=entry.name, key=key))

        if not store.replace(entry, write):
            return False
    defaults = {"sha256": made[-1].sha256, "size": made[-1].size, "key_id": key.name}
    StoredFile.objects.get_or_create(name=entry.name, defaults=defaults)
    return True


def _copy(source: Source, target: BinaryIO, head: bytes) -> None:
    """Write the file with another header; its chunks stay as they are."""
    target.write(head)
    target.writelines(_blocks(source))


def _blocks(source: Source) -> Iterator[bytes]:
    for offset in range(HEADER_BYTES, source.size, _AT_ONCE):
        yield source.read_at(offset, min(_AT_ONCE, source.size - offset))
