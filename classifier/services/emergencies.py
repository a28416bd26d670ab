"""Opening a restricted record in an emergency, and judging afterwards whether it was justified."""

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.models import AuditEvent, User
from classifier import policies
from classifier.care import running_emergencies
from classifier.enums import EmergencyCause, EmergencyVerdict
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import EmergencyAccess, EmergencyJudgement, Laboratory, Patient

if TYPE_CHECKING:
    from datetime import datetime

OVERDUE = "restricted_access.overdue"


@transaction.atomic
def break_glass(
    *, actor: User, patient_id: uuid.UUID, access_id: uuid.UUID, cause: str, words: str
) -> EmergencyAccess:
    """Open a restricted record to the actor for a while; who answers for privacy hears at once.

    The same again is harmless, and while one access runs no other begins.

    Raises:
        NotPermitted: the actor may not read records, or is a program.
        GuardFailed: nothing was said about why.
        TransitionRefused: the record is not closed to the actor.
    """
    if not policies.can_break_glass(actor):
        raise NotPermitted("You may not open restricted records in an emergency.")
    # One person's two requests wait for each other; no lock on the patient's own row is needed.
    User.objects.select_for_update().get(pk=actor.pk)
    patient = Patient.objects.get(pk=patient_id)
    if running := running_emergencies(actor).filter(patient=patient).first():
        access: EmergencyAccess = running
        return access
    if not words.strip():
        raise GuardFailed("Say in words why you have to open this record.")
    if not Patient.objects.restricted_for(actor).filter(pk=patient_id).exists():
        raise TransitionRefused("This record is not closed to you by a restriction.")
    return _begin(actor, patient, access_id, EmergencyCause(cause), words.strip())


def _begin(
    actor: User, patient: Patient, access_id: uuid.UUID, cause: EmergencyCause, words: str
) -> EmergencyAccess:
    if EmergencyAccess.objects.filter(pk=access_id).exists():
        raise TransitionRefused("This emergency access is over; give your reason again.")
    laboratory, now = Laboratory.current(), timezone.now()
    access = EmergencyAccess.objects.create(
        id=access_id,
        patient=patient,
        opened_by=actor,
        cause=cause,
        words=words,
        began_at=now,
        ends_at=now + timedelta(minutes=laboratory.emergency_minutes),
        judge_by=now + timedelta(days=laboratory.emergency_judgement_days),
    )
    record(
        actor=actor,
        action="patient.break_glass",
        target=access,
        after={"cause": cause, "until": access.ends_at},
        reason=words,
        patient=patient,
    )
    return access


@transaction.atomic
def judge(*, actor: User, access_id: uuid.UUID, verdict: str, words: str) -> EmergencyJudgement:
    """Say once whether an emergency access was justified, and why.

    Raises:
        NotPermitted: the actor doesn't protect records, or opened the record themselves.
        GuardFailed: no words.
        TransitionRefused: it was judged already.
    """
    if not policies.can_protect_patients(actor):
        raise NotPermitted("You may not judge emergency access.")
    access = EmergencyAccess.objects.select_for_update().get(pk=access_id)
    if access.opened_by_id == actor.pk:
        raise NotPermitted("Your own emergency access is for somebody else to judge.")
    if EmergencyJudgement.objects.filter(access=access).exists():
        raise TransitionRefused("Somebody judged this emergency access already.")
    if not words.strip():
        raise GuardFailed("Say why; it stays beside your name.")
    judgement = EmergencyJudgement.objects.create(
        access=access, verdict=EmergencyVerdict(verdict), words=words.strip(), judged_by=actor
    )
    record(
        actor=actor,
        action="restricted_access.judged",
        target=access,
        after={"verdict": verdict},
        reason=words,
        patient=access.patient_id,
    )
    return judgement


def overdue(at: "datetime | None" = None) -> "QuerySet[EmergencyAccess]":
    """Return the emergency accesses that nobody judged in time."""
    return EmergencyAccess.objects.filter(judgement=None, judge_by__lt=at or timezone.now())


@transaction.atomic
def tell_overdue() -> None:
    """Record once of each emergency access that its judgement is overdue; people hear of it."""
    told = AuditEvent.objects.filter(action=OVERDUE).values_list("target_id", flat=True)
    known = set(told)
    for access in overdue().select_for_update(of=("self",)).order_by("pk"):
        if str(access.pk) not in known:
            record(
                actor=User.system(),
                action=OVERDUE,
                target=access,
                after={"due": access.judge_by},
                patient=access.patient_id,
            )
