"""Restricting a record, naming who may open it, taking up its cases, lifting the restriction."""

import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier import policies
from classifier.enums import RestrictionKind
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, CaseTakeUp, NamedPerson, Patient, Restriction
from classifier.selectors.restrictions import find_by_number
from classifier.services.transitions import lock_case

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def restrict_patient(
    *, actor: "User", patient_id: uuid.UUID, restriction_id: uuid.UUID, kind: str, reason: str
) -> Restriction:
    """Restrict a record from this moment on. The same again is harmless.

    Raises:
        NotPermitted: the actor doesn't protect records.
        GuardFailed: no reason.
        TransitionRefused: it is restricted already, or merged into another record.
    """
    _require_protector(actor)
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    known = Restriction.objects.filter(pk=restriction_id).first()
    if known and known.patient_id == patient.pk:
        return known
    _require_reason(reason)
    if known or patient.restrictions.filter(lifted_at=None).exists():
        raise TransitionRefused("This record is restricted already.")
    if patient.merged_into_id:
        raise TransitionRefused("This record was merged. Restrict the one that stands for it.")
    restriction = Restriction.objects.create(
        id=restriction_id,
        patient=patient,
        kind=RestrictionKind(kind),
        reason=reason.strip(),
        set_by=actor,
    )
    record(
        actor=actor,
        action="patient.restricted",
        target=restriction,
        after={"kind": kind},
        reason=reason,
        patient=patient,
    )
    return restriction


@transaction.atomic
def lift_restriction(*, actor: "User", restriction_id: uuid.UUID, reason: str) -> Restriction:
    """Open a record again to whoever reads records. Lifted already, nothing happens."""
    _require_protector(actor)
    restriction = _lock(restriction_id)
    if restriction.lifted_at is not None:
        return restriction
    _require_reason(reason)
    restriction.lifted_by, restriction.lifted_at = actor, timezone.now()
    restriction.lift_reason = reason.strip()
    restriction.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    record(
        actor=actor,
        action="patient.restriction_lifted",
        target=restriction,
        reason=reason,
        patient=restriction.patient_id,
    )
    return restriction


@transaction.atomic
def name_person(
    *, actor: "User", restriction_id: uuid.UUID, user: "User", reason: str
) -> NamedPerson:
    """Put somebody on the access list of a restricted record. On it already, nothing happens.

    Raises:
        NotPermitted: the actor doesn't protect records, or names themselves.
        GuardFailed: no reason, or the person may not read records at all.
        TransitionRefused: the restriction was lifted.
    """
    _require_protector(actor)
    if user.pk == actor.pk:
        raise NotPermitted("Nobody names themselves; ask another person who protects records.")
    restriction = _lock(restriction_id)
    _require_in_force(restriction)
    if known := restriction.named.filter(user=user, ended_at=None).first():
        return known
    _require_reason(reason)
    if not user.is_active or not user.has_perm("accounts.view_patient"):
        raise GuardFailed("This person may not read patient records.")
    named = restriction.named.create(user=user, named_by=actor, reason=reason.strip())
    _record_naming("patient.person_named", actor, named, reason)
    return named


@transaction.atomic
def end_naming(*, actor: "User", restriction_id: uuid.UUID, named_id: int) -> NamedPerson:
    """Take somebody off an access list. Off it already, nothing happens."""
    _require_protector(actor)
    restriction = _lock(restriction_id)
    named = restriction.named.select_related("user").get(pk=named_id)
    if named.ended_at is None:
        named.ended_by, named.ended_at = actor, timezone.now()
        named.save(update_fields=["ended_by", "ended_at"])
        _record_naming("patient.person_unnamed", actor, named)
    return named


@transaction.atomic
def take_up(*, actor: "User", case_id: uuid.UUID) -> CaseTakeUp:
    """Take a case of a restricted record to work on it; its record opens until it is finished.

    Taken already, nothing happens.

    Raises:
        NotPermitted: the next step of the case is not this person's.
    """
    case = lock_case(case_id)
    if known := case.take_ups.filter(taken_by=actor).first():
        return known
    if actor.acts_by_program or not _may_take(actor, case):
        raise NotPermitted("The next step of this case is not yours to do.")
    taken: CaseTakeUp = case.take_ups.create(taken_by=actor)
    record(actor=actor, action="case.taken_up", target=case, patient=case.patient_id)
    return taken


def match_number(*, actor: "User", text: str) -> list[Patient]:
    """Return the records closed to the actor whose whole MRN was typed; each find is recorded."""
    found = find_by_number(actor, text)
    for patient in found:
        with transaction.atomic():
            record(actor=actor, action="patient.number_matched", target=patient, patient=patient)
    return found


def _may_take(actor: "User", case: Case) -> bool:
    is_closed = Case.objects.restricted_for(actor).filter(pk=case.pk).exists()
    return is_closed and policies.can_take_up(actor, case)


def _lock(restriction_id: uuid.UUID) -> Restriction:
    return Restriction.objects.select_for_update().get(pk=restriction_id)


def _require_in_force(restriction: Restriction) -> None:
    if restriction.lifted_at is not None:
        raise TransitionRefused("This restriction was lifted.")


def _require_protector(actor: "User") -> None:
    if not policies.can_protect_patients(actor):
        raise NotPermitted("You may not restrict records.")


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise GuardFailed("Give a reason; it is kept in the audit trail.")


def _record_naming(action: str, actor: "User", named: NamedPerson, reason: str = "") -> None:
    record(
        actor=actor,
        action=action,
        target=named.restriction,
        after={"person": named.user.full_name},
        reason=reason,
        patient=named.restriction.patient_id,
    )
