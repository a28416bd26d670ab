"""Putting a legal hold on a patient's record or a case, and lifting it.

Locks are taken as in merging: records first, then their cases. A hold locks every case that it
covers, so whoever has a case locked and finds no hold on it may go on.
"""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier import policies
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, LegalHold, Patient
from classifier.services.transitions import lock_case

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Why something is to be held; the id makes asking twice harmless."""

    hold_id: uuid.UUID
    reference: str
    reason: str


@transaction.atomic
def hold_patient(*, actor: "User", patient_id: uuid.UUID, wanted: HoldRequest) -> LegalHold:
    """Hold a patient's whole record: all cases, also those that come. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't keep records.
        GuardFailed: no reference or no reason.
        TransitionRefused: the record was merged into another one.
    """
    _require_keeper(actor)
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    if known := LegalHold.objects.filter(pk=wanted.hold_id, patient=patient).first():
        return known
    if patient.merged_into_id:
        raise TransitionRefused("This record was merged. Hold the one that stands for it.")
    list(patient.cases.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    return _put(actor, wanted, patient=patient)


@transaction.atomic
def hold_case(*, actor: "User", case_id: uuid.UUID, wanted: HoldRequest) -> LegalHold:
    """Hold one case. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't keep records.
        GuardFailed: no reference or no reason.
    """
    _require_keeper(actor)
    case = lock_case(case_id)
    if known := LegalHold.objects.filter(pk=wanted.hold_id, case=case).first():
        return known
    return _put(actor, wanted, case=case)


@transaction.atomic
def lift_hold(*, actor: "User", hold_id: uuid.UUID, reason: str) -> LegalHold:
    """Lift a hold that somebody else put. Lifted already, nothing happens.

    Raises:
        NotPermitted: the actor doesn't keep records, or put this hold.
        GuardFailed: no reason.
    """
    _require_keeper(actor)
    hold = LegalHold.objects.select_for_update(of=("self",)).get(pk=hold_id)
    if hold.put_by_id == actor.pk:
        raise NotPermitted("You put this hold: somebody else has to lift it.")
    if not hold.is_in_force:
        return hold
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    hold.lifted_by, hold.lifted_at, hold.lift_reason = actor, timezone.now(), reason.strip()
    hold.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    _record("legal_hold.lifted", actor, hold, reason)
    return hold


def carry_holds(case: Case, *, left: Patient, actor: "User") -> None:
    """Hold a locked case itself where it left a held record, so that no hold loses it.

    Each such hold is lifted by itself, as whose the case was stays a matter of the same dispute.
    """
    holds = LegalHold.objects.in_force()
    still = holds.over_case(case.pk, case.patient_id)
    for hold in holds.over_patient(left.pk).exclude(pk__in=still).exclude(followers__in=still):
        carried = LegalHold.objects.create(
            case=case,
            reference=hold.reference,
            reason=hold.reason,
            put_by_id=hold.put_by_id,
            follows=hold,
        )
        _record("legal_hold.carried", actor, carried, hold.reason)


def _put(
    actor: "User", wanted: HoldRequest, *, patient: Patient | None = None, case: Case | None = None
) -> LegalHold:
    if not wanted.reference.strip():
        raise GuardFailed("Give a reference, such as a file number.")
    if not wanted.reason.strip():
        raise GuardFailed("Give a reason.")
    if LegalHold.objects.filter(pk=wanted.hold_id).exists():
        raise TransitionRefused("This form was sent for another record already.")
    hold = LegalHold.objects.create(
        id=wanted.hold_id,
        patient=patient,
        case=case,
        reference=wanted.reference.strip(),
        reason=wanted.reason.strip(),
        put_by=actor,
    )
    _record("legal_hold.put", actor, hold, wanted.reason)
    return hold


def _record(action: str, actor: "User", hold: LegalHold, reason: str) -> None:
    record(
        actor=actor,
        action=action,
        target=hold,
        after={"reference": hold.reference, "follows": hold.follows_id},
        reason=reason,
        patient=hold.patient_id or (hold.case.patient_id if hold.case else None),
    )


def _require_keeper(actor: "User") -> None:
    if not policies.can_hold_records(actor):
        raise NotPermitted("You may not put or lift legal holds.")
