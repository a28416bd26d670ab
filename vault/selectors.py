"""What is known of copies, keys and checks: from the audit trail that tells each, and the rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from accounts.models import AuditEvent
from vault.enums import JobKind
from vault.exceptions import KeysUnusable
from vault.keys import load_keyring
from vault.models import StoredFile, VaultJob

MOST_BACKUPS: Final = 100
MOST_FILES: Final = 20


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made and, as far as this laboratory knows, still is there.

    ``size`` is that of all its files, shared with other backups or not; None for backups made
    before it was noted. ``proved_at`` is when it was read to its end, ``damaged`` how many of its
    files were not as they had been copied.
    """

    id: str
    at: datetime
    folder: str
    files: int
    gone: int
    size: int | None
    proved_at: datetime | None = None
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many files are under a key; an empty id stands for files whose key was not noted yet."""

    key_id: str
    files: int
    bytes: int
    is_current: bool
    is_held: bool


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys in use, and how far a rotation is. ``problem`` says why keys can't be read."""

    uses: tuple[KeyUse, ...]
    waiting: tuple[StoredFile, ...]
    problem: str = ""

    @property
    def total(self) -> int:
        """All stored files."""
        return sum(use.files for use in self.uses)

    @property
    def current(self) -> int:
        """Files under the current key."""
        return sum(use.files for use in self.uses if use.is_current)

    @property
    def left(self) -> int:
        """Files that a rotation would bring under the current key, or look at."""
        return self.total - self.current


def last_backup_at() -> datetime | None:
    """Return when the newest backup was made; None if there never was one."""
    return _newest("vault.backed_up")


def last_check_at() -> datetime | None:
    """Return when all stored files were read last; None if they never were."""
    return _newest("vault.checked")


def last_check() -> AuditEvent | None:
    """Return the event that tells what the last check found."""
    return AuditEvent.objects.filter(action="vault.checked").order_by("-at").first()


def list_backups() -> list[Backup]:
    """Return the backups that were made and not removed since, newest first."""
    made = list(_events("vault.backed_up")[:MOST_BACKUPS])
    removed = {name for event in made for name in _said(event).get("removed", ())}
    proofs = {_said(event)["backup"]: event for event in _events("vault.backup_proved").reverse()}
    kept = [event for event in made if _said(event)["backup"] not in removed]
    return [_backup(event, proofs.get(_said(event)["backup"])) for event in kept]


def is_backup_late(now: datetime | None = None) -> bool:
    """Whether the newest backup, or the first attempt, is older than the operator's limit."""
    since = last_backup_at()
    if since is None:
        asked = VaultJob.objects.filter(kind=JobKind.BACKUP).order_by("requested_at")
        since = asked.values_list("requested_at", flat=True).first()
    limit = timedelta(hours=settings.BACKUP_LATE_HOURS)
    return since is not None and (now or timezone.now()) - since > limit


def see_keys() -> Keys:
    """Return which keys the stored files are under, the current one first."""
    try:
        held = [key.name for key in load_keyring().keys]
        problem = ""
    except KeysUnusable as error:
        held, problem = [], str(error)
    kept = StoredFile.objects.kept()
    counted = kept.order_by().values_list("key_id").annotate(Count("pk"), Sum("size"))
    found = {name: (files, size) for name, files, size in counted}
    names = [*held, *sorted(name for name in found if name not in held)]
    uses = tuple(
        KeyUse(name, *found.get(name, (0, 0)), name in held[:1], name in held) for name in names
    )
    waiting = kept.exclude(key_id=held[0]).order_by("name")[:MOST_FILES] if held else ()
    return Keys(uses, tuple(waiting), problem)


def newest_jobs() -> dict[str, VaultJob]:
    """Return the newest work of each kind by its kind."""
    newest = VaultJob.objects.order_by("kind", "-requested_at").distinct("kind")
    return {job.kind: job for job in newest.select_related("requested_by")}


def _backup(event: AuditEvent, proof: AuditEvent | None) -> Backup:
    said = _said(event)
    return Backup(
        id=said["backup"],
        at=event.at,
        folder=said.get("folder", ""),
        files=said["files"],
        gone=said["gone"],
        size=said.get("size"),
        proved_at=proof.at if proof else None,
        damaged=_said(proof)["damaged"] if proof else 0,
    )


def _events(action: str) -> "QuerySet[AuditEvent]":
    return AuditEvent.objects.filter(action=action).order_by("-at")


def _said(event: AuditEvent) -> dict[str, Any]:
    said: dict[str, Any] = event.after or {}
    return said


def _newest(action: str) -> datetime | None:
    moment: datetime | None = _events(action).values_list("at", flat=True).first()
    return moment
