"""Putting a backup into an empty laboratory, and proving that it is the one that was copied."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings
from django.db import connection, transaction

from accounts.audit import record
from accounts.chain import verify_chain
from accounts.models import User
from vault import keys as key_files
from vault import postgres
from vault.copies import (
    DATABASE,
    KEYS,
    CopiedFile,
    Copies,
    Manifest,
    Secrets,
    sha256_of,
    unwrap_keys,
)
from vault.exceptions import CopyFailed
from vault.keys import Keyring
from vault.reading import SealedReader
from vault.sealing import HEADER_BYTES, read_header
from vault.services.checking import check_files
from vault.stores import Store, the_store
from vault.stores.disk import DiskSource

_AT_ONCE: Final = 1024 * 1024
_LIVED_IN: Final = ("classifier_patient", "vault_storedfile")


@dataclass(slots=True)
class Restored:
    """What was done so far, and what was proved."""

    id: str
    made_at: str
    files: int = 0
    tables: int = 0
    rows: int = 0
    events: int = 0
    secret_key_changed: bool = False


Progress = Callable[[Restored], None]


def restore(
    folder: Path, *, progress: Progress, backup_id: str = "", passphrase: str = ""
) -> Restored:
    """Restore a backup, the newest unless one is named, and verify all of it.

    Files come first, the database last and in one transaction: a restoration that was stopped is
    simply begun again. Nobody is signed in afterwards.

    Raises:
        CopyFailed: the laboratory is not empty, the backup is not whole, or what came out is not
            what was copied.
    """
    copies = Copies(folder)
    backup_id = backup_id or (copies.ids() or [""])[-1]
    if backup_id not in copies.ids():
        raise CopyFailed(f"There is no whole backup {backup_id} in {folder}.".replace("  ", " "))
    bundle = _bundle(copies.backups / backup_id, passphrase)
    ring = bundle.keys if bundle else key_files.load_keyring()
    manifest = copies.read(backup_id, ring)
    store = the_store()
    _refuse_incomplete(copies, manifest)
    _refuse_lived_in(store, manifest)
    done = Restored(manifest.id, manifest.made_at)
    if bundle:
        _put_secrets(bundle, done)
    for file in manifest.files:
        _put_file(copies, store, file)
        done.files += 1
        progress(done)
    postgres.clear()
    postgres.load(_dump(copies.backups / backup_id / DATABASE, manifest, ring))
    _verify(manifest, done)
    _note(manifest, done)
    return done


def _bundle(place: Path, passphrase: str) -> Secrets | None:
    """The secrets in the backup, if a passphrase is to open them."""
    if not passphrase:
        return None
    if not (place / KEYS).exists():
        raise CopyFailed("This backup holds no keys: no recovery passphrase was given for it.")
    return unwrap_keys((place / KEYS).read_bytes(), passphrase)


def _refuse_lived_in(store: Store, manifest: Manifest) -> None:
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in set(_LIVED_IN) & set(tables):
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")  # noqa: S608 - our own names
            if cursor.fetchone()[0]:
                raise CopyFailed("This laboratory is not empty; nothing was changed.")
    if "accounts_user" in tables and User.objects.filter(is_system=False).exists():
        raise CopyFailed("This laboratory has people already; nothing was changed.")
    ours = {file.name for file in manifest.files}
    if any(entry.name not in ours for entry in store.walk()):
        raise CopyFailed(f"{store.place} holds files of its own; nothing was changed.")


def _refuse_incomplete(copies: Copies, manifest: Manifest) -> None:
    place = copies.backups / manifest.id / DATABASE
    if not place.exists() or sha256_of(place) != manifest.database_sha256:
        raise CopyFailed("The backup's database is missing or was altered.")
    for file in manifest.files:
        blob = copies.blob(file.blob)
        if not blob.exists() or blob.stat().st_size != file.stored_size:
            raise CopyFailed(f"The backup lacks {file.name}, or not all of it is there.")


def _put_secrets(bundle: Secrets, done: Restored) -> None:
    """Write the secrets of a bundle where this laboratory looks for its own, and has none yet."""
    if key_files.are_in_file():
        key_files.write_key_file(Path(settings.VAULT_KEY_FILE), bundle.keys.keys)
    kept = settings.VAR_DIR / "secret_key"
    done.secret_key_changed = bundle.secret_key != settings.SECRET_KEY
    if done.secret_key_changed and kept.exists() and kept.read_text() == settings.SECRET_KEY:
        kept.write_text(bundle.secret_key)
    audit_key = Path(settings.AUDIT_KEY_FILE)
    if bundle.audit_key and not audit_key.exists():
        audit_key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        audit_key.touch(mode=0o600)
        audit_key.write_text(bundle.audit_key)


def _put_file(copies: Copies, store: Store, file: CopiedFile) -> None:
    """Store a file's sealed bytes as they are, unless an interrupted restoration has done so."""
    blob = copies.blob(file.blob)
    if sha256_of(blob) != file.blob:
        raise CopyFailed(f"The backup's copy of {file.name} is damaged.")

    def write(target: BinaryIO) -> None:
        with blob.open("rb") as source:
            while block := source.read(_AT_ONCE):
                target.write(block)

    try:
        store.put(file.name, write)
    except FileExistsError:
        found = store.find(file.name)
        if found is None or found.size != file.stored_size:
            raise CopyFailed(f"{store.place} holds another {file.name}.") from None


def _dump(path: Path, manifest: Manifest, ring: Keyring) -> Iterator[bytes]:
    source = DiskSource(path)
    header = read_header(source.read_at(0, HEADER_BYTES))
    with SealedReader(source, header, name=f"{manifest.id}/{DATABASE}", keys=ring) as reader:
        while block := reader.read(_AT_ONCE):
            yield block


def _verify(manifest: Manifest, done: Restored) -> None:
    """Compare every table, the audit trail and every file with what the backup says."""
    with transaction.atomic():
        found = postgres.fingerprints()
    differing = sorted(
        name for name in found | manifest.tables if found.get(name) != manifest.tables.get(name)
    )
    if differing:
        raise CopyFailed(f"These tables are not what was copied: {', '.join(differing)}.")
    verdict = verify_chain(expected_head=manifest.audit_head)
    if not verdict.is_sound:
        raise CopyFailed(f"The restored audit trail is not sound: {verdict.findings[0]}")
    checked = check_files(progress=lambda _: None)
    unexpected = [
        name for kind in checked.found for name in checked.found[kind] if name not in manifest.gone
    ]
    if unexpected:
        raise CopyFailed(f"Of the restored files these are not whole: {', '.join(unexpected[:9])}.")
    done.tables, done.rows = len(found), sum(count for count, _ in found.values())
    done.events = verdict.count


@transaction.atomic
def _note(manifest: Manifest, done: Restored) -> None:
    """End every session: who has an old cookie is not signed in. Say that a backup is at work."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")
    after = {"backup": manifest.id, "made_at": manifest.made_at, "files": done.files}
    record(actor=User.system(), action="vault.restored", target=None, after=after)
