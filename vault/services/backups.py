"""Making a backup: the database at one moment, and every file that it knows."""

import hashlib
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.chain import current_head
from accounts.models import User
from vault import postgres
from vault.copies import (
    DATABASE,
    KEYS,
    CopiedFile,
    Copies,
    Manifest,
    Secrets,
    flush,
    sha256_of,
    wrap_keys,
)
from vault.exceptions import CopyFailed
from vault.keys import Key, Keyring, load_keyring
from vault.models import StoredFile
from vault.reading import SealedReader
from vault.sealing import HEADER_BYTES, read_header, seal
from vault.services.checking import names_in_rows
from vault.storage import current_key
from vault.stores import Entry, Store, the_store
from vault.stores.disk import DiskSource

_AT_ONCE: Final = 1024 * 1024
_ROWS: Final = 1000


@dataclass(slots=True)
class BackedUp:
    """What was done so far."""

    id: str
    files: int = 0
    copied: int = 0
    bytes: int = 0
    size: int = 0
    """Of the whole backup, what it shares with others included."""
    removed: tuple[str, ...] = ()
    """Ids of older backups that made room."""
    gone: int = 0


Progress = Callable[[BackedUp], None]


def back_up(
    folder: Path, *, progress: Progress, passphrase: str = "", keep: int | None = None
) -> BackedUp:
    """Copy database and files into a folder; what an earlier backup has is not copied again.

    Each file is read back and verified as it is copied. The backup has its name once it is whole.
    The keys are not in it, unless wrapped by a recovery passphrase.

    Raises:
        CopyFailed, OSError: with a sentence; no backup was made then.
    """
    copies, key = Copies(folder), current_key()
    done = BackedUp(f"{timezone.now():%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(3)}")
    with copies.alone():
        place = copies.begin(done.id)
        try:
            manifest = _fill(copies, place, key, done, progress)
            if passphrase:
                (place / KEYS).write_bytes(wrap_keys(_secrets(), passphrase))
            copies.write(place, manifest, key)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        if keep is not None:
            done.removed = _forget_old(copies, keep, load_keyring())
    _note(folder, manifest, done)
    return done


def _secrets() -> Secrets:
    audit_key = Path(settings.AUDIT_KEY_FILE)
    text = audit_key.read_text() if audit_key.exists() else ""
    return Secrets(load_keyring(), settings.SECRET_KEY, text)


def _fill(copies: Copies, place: Path, key: Key, done: BackedUp, progress: Progress) -> Manifest:
    """Copy everything into the unfinished backup; the database stays at one moment meanwhile."""
    with postgres.snapshot() as snapshot_id:
        _refuse_unlisted()
        manifest = Manifest(
            id=done.id,
            made_at=timezone.now().isoformat(),
            key_id=key.name,
            audit_head=current_head()[1],
            tables=postgres.fingerprints(),
        )
        with postgres.dumping(snapshot_id) as blocks, (place / DATABASE).open("wb") as target:
            seal(blocks, target, name=f"{done.id}/{DATABASE}", key=key)
        manifest.database_sha256 = sha256_of(place / DATABASE)
        done.size = (place / DATABASE).stat().st_size
        known, store, ring = _known(copies), the_store(), load_keyring()
        for name in StoredFile.objects.kept().values_list("name", flat=True).iterator(_ROWS):
            _copy_one(copies, store, name, known, manifest, done, ring)
            progress(done)
    return manifest


def _refuse_unlisted() -> None:
    """Files from before they were sealed are on no list, and would not be in the backup."""
    unlisted = names_in_rows() - set(StoredFile.objects.values_list("name", flat=True))
    if unlisted:
        raise CopyFailed(
            f"{len(unlisted)} files are on no list: from before files were sealed, or lost. "
            "Run `manage.py rotate_keys`, then `manage.py check_vault`."
        )


def _known(copies: Copies) -> dict[str, CopiedFile]:
    """The files of the newest backup by name, whose bytes need not be read again."""
    ids = copies.ids()
    if not ids:
        return {}
    return {file.name: file for file in copies.read(ids[-1], load_keyring()).files}


def _copy_one(
    copies: Copies,
    store: Store,
    name: str,
    known: dict[str, CopiedFile],
    manifest: Manifest,
    done: BackedUp,
    ring: Keyring,
) -> None:
    entry = store.find(name)
    if entry is None:
        manifest.gone.append(name)
        done.gone += 1
        return
    former = known.get(name)
    if former is None or not _is_same(copies, entry, former):
        try:
            former = _copy(copies, store, entry, ring)
        except OSError:
            if store.find(name) is not None:
                raise
            manifest.gone.append(name)
            done.gone += 1
            return
        done.copied += 1
        done.bytes += entry.size
    manifest.files.append(former)
    done.files += 1
    done.size += former.stored_size


def _is_same(copies: Copies, entry: Entry, former: CopiedFile) -> bool:
    seen = (former.stored_size, former.version) == (entry.size, entry.version)
    return seen and copies.blob(former.blob).exists()


def _copy(copies: Copies, store: Store, entry: Entry, ring: Keyring) -> CopiedFile:
    """Copy the sealed bytes, and read back what was written."""
    aside = copies.files / f".{secrets.token_hex(8)}"
    aside.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        digest = _write(store, entry.name, aside)
        _verify(aside, entry.name, ring)
        blob = copies.blob(digest)
        blob.parent.mkdir(mode=0o700, exist_ok=True)
        aside.rename(blob)
    finally:
        aside.unlink(missing_ok=True)
    return CopiedFile(entry.name, digest, entry.size, entry.version)


def _write(store: Store, name: str, path: Path) -> str:
    source, digest = store.open(name), hashlib.sha256()
    try:
        with path.open("wb") as target:
            for offset in range(0, source.size, _AT_ONCE):
                block = source.read_at(offset, min(_AT_ONCE, source.size - offset))
                digest.update(block)
                target.write(block)
    finally:
        source.close()
    flush(path)
    return digest.hexdigest()


def _verify(path: Path, name: str, ring: Keyring) -> None:
    """Open the copy to its end; what the database says of it is compared, too."""
    source, digest = DiskSource(path), hashlib.sha256()
    header = read_header(source.read_at(0, HEADER_BYTES))
    with SealedReader(source, header, name=name, keys=ring) as reader:
        while block := reader.read(_AT_ONCE):
            digest.update(block)
    row = StoredFile.objects.filter(pk=name).first()
    if row is None or digest.hexdigest() != row.sha256:
        raise CopyFailed(f"{name} is not what was stored. Run `manage.py check_vault`.")


def _forget_old(copies: Copies, keep: int, ring: Keyring) -> tuple[str, ...]:
    """Remove all but the newest backups, and what only they had; return their ids."""
    ids = copies.ids()
    old = ids[:-keep] if keep else []
    for backup_id in old:
        shutil.rmtree(copies.backups / backup_id)
    if old:
        kept = {file.blob for left in copies.ids() for file in copies.read(left, ring).files}
        for blob in copies.files.glob("*/*"):
            if blob.name not in kept:
                blob.unlink()
    return tuple(old)


@transaction.atomic
def _note(folder: Path, manifest: Manifest, done: BackedUp) -> None:
    after = {
        "backup": done.id,
        "folder": str(folder),
        "files": done.files,
        "copied": done.copied,
        "bytes": done.bytes,
        "size": done.size,
        "removed": list(done.removed),
        "gone": done.gone,
        "key": manifest.key_id,
    }
    record(actor=User.system(), action="vault.backed_up", target=None, after=after)
