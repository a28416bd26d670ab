"""Proving a backup: each copied file and the database read to the end, and compared by hash."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from vault.copies import DATABASE, Copies, Manifest, sha256_of
from vault.exceptions import CopyFailed
from vault.keys import load_keyring


@dataclass(slots=True)
class Proved:
    """What was read so far, and what is not as it was copied."""

    id: str
    files: int = 0
    bytes: int = 0
    damaged: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether all that was read is what was copied."""
        return not self.damaged


Progress = Callable[[Proved], None]


def prove(folder: Path, backup_id: str, *, progress: Progress) -> Proved:
    """Read a backup to its end; nothing is restored, and no key of a file is needed.

    Raises:
        CopyFailed, OSError: there is no such backup, or its manifest is not this laboratory's.
    """
    copies = Copies(folder)
    if backup_id not in copies.ids():
        raise CopyFailed(f"There is no whole backup {backup_id} in {folder}.".replace("  ", " "))
    manifest = copies.read(backup_id, load_keyring())
    done = Proved(manifest.id)
    if not _is(copies.backups / manifest.id / DATABASE, manifest.database_sha256):
        done.damaged.append("the database")
    _prove_files(copies, manifest, done, progress)
    _note(done)
    return done


def _prove_files(copies: Copies, manifest: Manifest, done: Proved, progress: Progress) -> None:
    for file in manifest.files:
        if not _is(copies.blob(file.blob), file.blob):
            done.damaged.append(file.name)
        done.files += 1
        done.bytes += file.stored_size
        progress(done)


def _is(path: Path, sha256: str) -> bool:
    return path.exists() and sha256_of(path) == sha256


@transaction.atomic
def _note(done: Proved) -> None:
    after = {
        "backup": done.id,
        "files": done.files,
        "bytes": done.bytes,
        "damaged": len(done.damaged),
    }
    record(actor=User.system(), action="vault.backup_proved", target=None, after=after)
    if not done.is_sound:
        record(actor=User.system(), action="vault.backup_damaged", target=None, after=after)
