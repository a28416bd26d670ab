"""The long work on stored files: asked for by people or the clock, done by one worker at a time.

One at a time, since each reads whole disks: two would only make both slower. A worker that
vanished leaves a lease that runs out; the next one begins anew and passes over what is done.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models.functions import Now

from accounts.audit import record
from accounts.models import User
from vault import dispatch, policies
from vault.copies import read_passphrase
from vault.enums import JobKind, JobStatus
from vault.exceptions import CopyFailed, WorkRefused
from vault.models import StoredFile, VaultJob
from vault.selectors import list_backups
from vault.services.backups import BackedUp, back_up
from vault.services.checking import check_files
from vault.services.holding import LEASE, ClaimLost, Holding
from vault.services.proving import Proved, prove
from vault.services.rotation import rotate

logger = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 3
MOST_NAMED: Final = 50
NO_FOLDER: Final = "No folder for backups is set: the operator sets BACKUP_FOLDER."
NO_BACKUP: Final = "There is no backup of this name any more."
BUSY: Final = "Another backup is being verified. Wait until it is done."
STOPPED: Final = "The worker was stopped several times before it came to the end."
UNEXPECTED: Final = "It failed in a way that the worker's log tells."

Note = Callable[[int], None]
"""Tells how many files are done; raises ClaimLost once the work is somebody else's."""


def request_job(
    *, kind: JobKind, actor: User, subject: str = "", slot: datetime | None = None
) -> VaultJob:
    """Ask for work; while the same waits or is being done, that is returned.

    Raises:
        WorkRefused: not by this person, or it can't be done here.
    """
    if not policies.can_keep_copies(actor):
        raise WorkRefused("You may not start this.")
    _refuse_impossible(kind, subject)
    same = VaultJob.objects.unfinished().filter(kind=kind)
    if slot is not None:
        same = VaultJob.objects.filter(kind=kind, slot=slot) | same
    try:
        with transaction.atomic():
            job = same.first() or _ask(kind, actor, subject, slot)
    except IntegrityError:  # somebody asked in the same moment
        job = same.earliest("requested_at")
    if job.subject != subject:
        raise WorkRefused(BUSY)
    return job


def _refuse_impossible(kind: JobKind, subject: str) -> None:
    if kind in {JobKind.BACKUP, JobKind.PROVING} and settings.BACKUP_FOLDER is None:
        raise WorkRefused(NO_FOLDER)
    if kind == JobKind.PROVING and subject not in {line.id for line in list_backups()}:
        raise WorkRefused(NO_BACKUP)


def _ask(kind: JobKind, actor: User, subject: str, slot: datetime | None) -> VaultJob:
    job = VaultJob.objects.create(kind=kind, requested_by=actor, subject=subject, slot=slot)
    after = {"work": kind.value, **({"backup": subject} if subject else {})}
    record(actor=actor, action="vault.work_requested", target=None, after=after)
    dispatch.work_at_vault()
    return job


def work() -> None:
    """Do the work that waits longest; what else waits gets a message of its own."""
    job = _claim()
    if job is None:
        return
    if job.attempt > MOST_ATTEMPTS:
        _fail(job, STOPPED)
    else:
        _carry_out(job)
    if VaultJob.objects.claimable().exists():
        dispatch.work_at_vault()


def _claim() -> VaultJob | None:
    """Take the work that waits longest, unless some is being done; whoever asks waits in line."""
    with transaction.atomic():
        waiting = VaultJob.objects.unfinished().select_for_update().order_by("requested_at", "pk")
        left = {job.pk: job for job in waiting}
        if not left or VaultJob.objects.held().filter(pk__in=left).exists():
            return None
        abandoned = [job for job in left.values() if job.status == JobStatus.RUNNING]
        job = (abandoned or list(left.values()))[0]
        job.attempt += 1
        VaultJob.objects.filter(pk=job.pk).update(
            status=JobStatus.RUNNING,
            attempt=job.attempt,
            done=0,
            total=_total(job),
            lease_expires_at=Now() + LEASE,
        )
    return job


def _total(job: VaultJob) -> int:
    """How many files the work goes through, as far as is known before it."""
    if job.kind == JobKind.PROVING:
        return next((line.files for line in list_backups() if line.id == job.subject), 0)
    return StoredFile.objects.kept().count()


def _carry_out(job: VaultJob) -> None:
    try:
        with Holding(job) as holding:
            result = _DO[JobKind(job.kind)](job, holding.note)
    except ClaimLost:
        logger.warning("Another worker has %s now.", job.pk)
    except (CopyFailed, OSError, DatabaseError) as problem:
        logger.exception("%s failed.", job.pk)
        _fail(job, str(problem))
    except Exception:
        _fail(job, UNEXPECTED)
        raise
    else:
        _mine(job).update(
            status=JobStatus.DONE, result=result, finished_at=Now(), lease_expires_at=None
        )


def _folder() -> Path:
    if settings.BACKUP_FOLDER is None:
        raise CopyFailed(NO_FOLDER)
    return Path(settings.BACKUP_FOLDER)


def _back_up(_job: VaultJob, note: Note) -> dict[str, Any]:
    done: BackedUp = back_up(
        _folder(),
        keep=settings.BACKUP_KEEP,
        passphrase=read_passphrase(settings.BACKUP_PASSPHRASE_FILE),
        progress=lambda done: note(done.files),
    )
    return asdict(done)


def _prove(job: VaultJob, note: Note) -> dict[str, Any]:
    done: Proved = prove(_folder(), job.subject, progress=lambda done: note(done.files))
    return {**asdict(done), "damaged": done.damaged[:MOST_NAMED]}


def _check(_job: VaultJob, note: Note) -> dict[str, Any]:
    checked = check_files(progress=lambda checked: note(checked.files))
    named = {kind: names[:MOST_NAMED] for kind, names in checked.found.items()}
    return {"files": checked.files, "bytes": checked.bytes, "named": named}


def _rotate(_job: VaultJob, note: Note) -> dict[str, Any]:
    return asdict(rotate(progress=lambda done: note(done.files)))


_DO: Final = {
    JobKind.BACKUP: _back_up,
    JobKind.PROVING: _prove,
    JobKind.CHECK: _check,
    JobKind.ROTATION: _rotate,
}


@transaction.atomic
def _fail(job: VaultJob, problem: str) -> None:
    """Say what went wrong; a backup that failed alarms."""
    words = problem[: VaultJob._meta.get_field("problem").max_length]
    ended = _mine(job).update(
        status=JobStatus.FAILED, problem=words, finished_at=Now(), lease_expires_at=None
    )
    if ended:
        action = "vault.backup_failed" if job.kind == JobKind.BACKUP else "vault.work_failed"
        after = {"work": job.kind, "attempt": job.attempt, "problem": words}
        record(actor=User.system(), action=action, target=None, after=after)


def _mine(job: VaultJob) -> "models.QuerySet[VaultJob]":
    return VaultJob.objects.filter(pk=job.pk, attempt=job.attempt, status=JobStatus.RUNNING)
