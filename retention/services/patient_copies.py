"""Copies of everything about a patient: asked for, made by a worker, kept for a week, deleted.

Whoever asks has to be let into the record when it is asked for, when it is made and when it is
handed out: a restriction that comes in between holds. A record that is open to somebody for an
emergency alone is not handed out.
"""

import hashlib
import logging
import tempfile
import uuid
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Final

from django.core.files.base import File
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit import record
from accounts.models import User as Account
from classifier.care import patients_in_emergency
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Patient
from retention import dispatch, policies
from retention.enums import CopyStatus
from retention.models import PatientCopy
from retention.patient_copies.writing import PatientArchive, Written

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

KEPT: Final = timedelta(days=7)
LEASE: Final = timedelta(seconds=120)
MOST_ATTEMPTS: Final = 3
_AT_ONCE: Final = 1024 * 1024
FAILED: Final = "The archive could not be made; tell your administrator."
STOPPED: Final = "The work stopped several times; try without whole slides."
CLOSED: Final = "The record is not open any more to whoever asked."
EMERGENCY: Final = (
    "This record is open to you for an emergency only. Whoever protects records has to name you "
    "before everything in it is handed out."
)


class _ClaimLost(Exception):
    """Another worker has the archive now."""


@transaction.atomic
def request_copy(
    *, actor: "User", patient: Patient, copy_id: uuid.UUID, purpose: str, with_slides: bool = False
) -> PatientCopy:
    """Ask for everything about a patient; asked twice with one id it is one archive.

    Raises:
        NotPermitted: not by this person, or not of this record.
        GuardFailed: no purpose.
    """
    _check(actor, patient)
    if not purpose.strip():
        raise GuardFailed("Say what the copy is for.")
    if known := PatientCopy.objects.filter(pk=copy_id, requested_by=actor, patient=patient).first():
        return known
    copy = PatientCopy.objects.create(
        id=copy_id,
        patient=patient,
        requested_by=actor,
        purpose=purpose.strip(),
        with_slides=with_slides,
    )
    record(
        actor=actor,
        action="patient_copy.requested",
        target=copy,
        after={"slides": with_slides},
        reason=copy.purpose,
        patient=patient,
    )
    dispatch.make_patient_copies()
    return copy


def make_next_copy() -> None:
    """Claim the archive that waits longest and make it; further ones get a message of their own."""
    copy = _claim()
    if copy is None:
        return
    if copy.attempt > MOST_ATTEMPTS:
        _fail(copy, STOPPED)
    elif not Patient.objects.visible_to(copy.requested_by).filter(pk=copy.patient_id).exists():
        _fail(copy, CLOSED)
    else:
        try:
            _make(copy)
        except _ClaimLost:
            logger.warning("Another worker has %s now.", copy.pk)
        except Exception:
            _fail(copy, FAILED)
            raise
    if PatientCopy.objects.claimable().exists():
        dispatch.make_patient_copies()


def tend_copies() -> None:
    """Delete archives that were kept long enough, and call a worker if any wait."""
    for copy in PatientCopy.objects.expired():
        _delete(copy, actor=Account.system())
    if PatientCopy.objects.claimable().exists():
        dispatch.make_patient_copies()


def open_copy(*, copy: PatientCopy, actor: "User") -> IO[bytes]:
    """Return the archive to hand out; who took it stands among those who read the record.

    Raises:
        NotPermitted, GuardFailed: not by this person, or it isn't there.
    """
    _check(actor, copy.patient)
    if copy.status != CopyStatus.READY:
        raise GuardFailed("This archive is not there any more, or not yet.")
    with transaction.atomic():
        _record(copy, "patient_copy.exported", actor, sha256=copy.sha256)
    file: IO[bytes] = copy.file.open("rb")
    return file


def delete_copy(*, copy: PatientCopy, actor: "User") -> None:
    """Delete an archive before its time.

    Raises:
        NotPermitted, GuardFailed: not by this person, or it is being made.
    """
    _check(actor, copy.patient)
    if copy.is_unfinished:
        raise GuardFailed("The archive is still being made.")
    _delete(copy, actor=actor)


def _check(actor: "User", patient: Patient) -> None:
    if not policies.can_copy_patients(actor):
        raise NotPermitted("You may not hand out everything about a patient.")
    if not Patient.objects.visible_to(actor).filter(pk=patient.pk).exists():
        raise NotPermitted("This record is not open to you.")
    if patient.pk in patients_in_emergency(actor):
        raise NotPermitted(EMERGENCY)


@transaction.atomic
def _claim() -> PatientCopy | None:
    waiting = PatientCopy.objects.claimable().order_by("requested_at")
    copy = waiting.select_for_update(skip_locked=True).first()
    if copy is not None:
        copy.attempt += 1
        PatientCopy.objects.filter(pk=copy.pk).update(
            status=CopyStatus.RUNNING, attempt=copy.attempt, done=0, lease_expires_at=Now() + LEASE
        )
    return copy


def _make(copy: PatientCopy) -> None:
    """Write the archive outside of any transaction, then keep it if the claim still holds."""

    def tick() -> None:
        step = models.F("done") + 1
        if not _mine(copy).update(done=step, lease_expires_at=Now() + LEASE):
            raise _ClaimLost

    with tempfile.TemporaryFile() as file:
        archive = PatientArchive(
            file, copy.patient.standing, with_slides=copy.with_slides, tick=tick
        )
        _mine(copy).update(total=archive.steps())
        _keep(copy, file, archive.write())


def _keep(copy: PatientCopy, file: IO[bytes], written: Written) -> None:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_AT_ONCE):
        digest.update(block)
    copy.sha256, size = digest.hexdigest(), file.tell()
    file.seek(0)
    copy.file.save("", File(file), save=False)
    with transaction.atomic():
        kept = _mine(copy).update(
            status=CopyStatus.READY,
            file=copy.file.name,
            sha256=copy.sha256,
            size=size,
            finished_at=Now(),
            expires_at=timezone.now() + KEPT,
            lease_expires_at=None,
        )
        if kept:
            told = {"files": len(written.files), "missing": len(written.missing)}
            _record(copy, "patient_copy.made", Account.system(), bytes=size, **told)
    if not kept:
        copy.file.storage.delete(str(copy.file.name))


def _mine(copy: PatientCopy) -> "models.QuerySet[PatientCopy]":
    return PatientCopy.objects.filter(pk=copy.pk, attempt=copy.attempt, status=CopyStatus.RUNNING)


@transaction.atomic
def _fail(copy: PatientCopy, problem: str) -> None:
    if _mine(copy).update(
        status=CopyStatus.FAILED, problem=problem, finished_at=Now(), lease_expires_at=None
    ):
        _record(copy, "patient_copy.failed", Account.system(), problem=problem)


def _delete(copy: PatientCopy, *, actor: "User") -> None:
    name, storage = copy.file.name, copy.file.storage
    with transaction.atomic():
        ended = (CopyStatus.READY, CopyStatus.FAILED)
        changed = PatientCopy.objects.filter(pk=copy.pk, status__in=ended).update(
            status=CopyStatus.DELETED, file="", expires_at=None
        )
        if changed:
            _record(copy, "patient_copy.deleted", actor, sha256=copy.sha256)
    if changed and name:
        storage.delete(name)


def _record(copy: PatientCopy, action: str, actor: "User", **told: object) -> None:
    record(actor=actor, action=action, target=copy, after=told, patient=copy.patient_id)
