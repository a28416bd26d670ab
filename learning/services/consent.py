"""On what basis the laboratory learns from its patients' cells, and who objects."""

from datetime import date
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case
from learning import policies
from learning.models import BasisOfUse, PatientObjection

if TYPE_CHECKING:
    from accounts.models import User


def basis_in_force() -> BasisOfUse | None:
    """The latest approved version that was not ended; None if nothing may be learned from."""
    return BasisOfUse.objects.filter(approved_at__isnull=False, retired_at=None).first()


@transaction.atomic
def propose_basis(*, words: str, licence: str, covers_from: date, actor: "User") -> BasisOfUse:
    """Add a version that covers nothing until somebody else approves it.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: another proposal waits.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not propose a basis of use.")
    if any(each.is_proposal for each in BasisOfUse.objects.select_for_update()):
        raise GuardFailed("A proposal waits already: have it approved or withdrawn first.")
    last = BasisOfUse.objects.aggregate(last=Max("version"))["last"] or 0
    basis = BasisOfUse.objects.create(
        version=last + 1, words=words, licence=licence, covers_from=covers_from, proposed_by=actor
    )
    record(
        actor=actor,
        action="basis_of_use.proposed",
        target=basis,
        after={"basis": words, "licence": licence, "covers_from": covers_from},
    )
    return basis


@transaction.atomic
def approve_basis(*, basis_id: int, actor: "User") -> BasisOfUse:
    """Let a proposal hold from now on. Again is harmless.

    Raises:
        NotPermitted: the actor approves no limits, or proposed it.
        GuardFailed: it was withdrawn.
    """
    basis = BasisOfUse.objects.select_for_update().get(pk=basis_id)
    if not policies.can_approve_basis(actor, basis):
        raise NotPermitted("A pathologist who did not propose the basis approves it.")
    if basis.retired_at:
        raise GuardFailed("This version was withdrawn.")
    if basis.is_proposal:
        basis.approved_by, basis.approved_at = actor, timezone.now()
        basis.save(update_fields=["approved_by", "approved_at"])
        record(actor=actor, action="basis_of_use.approved", target=basis)
    return basis


@transaction.atomic
def end_basis(*, basis_id: int, actor: "User") -> BasisOfUse:
    """Withdraw a proposal, or end what holds: no new set rests on it. Again is harmless.

    Raises:
        NotPermitted: the actor may neither propose nor approve it.
    """
    basis = BasisOfUse.objects.select_for_update().get(pk=basis_id)
    if not (policies.can_manage_models(actor) or policies.can_approve_basis(actor, basis)):
        raise NotPermitted("You may not end this basis of use.")
    if basis.retired_at is None:
        basis.retired_at = timezone.now()
        basis.save(update_fields=["retired_at"])
        record(actor=actor, action="basis_of_use.ended", target=basis)
    return basis


@transaction.atomic
def record_objection(*, accession_number: str, reason: str, actor: "User") -> PatientObjection:
    """Note that the patient of a case does not want to be learned from. Once.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: there is no case of this number.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not record objections.")
    case = Case.objects.visible_to(actor).filter(accession_number=accession_number.strip()).first()
    if case is None:
        raise GuardFailed("There is no case of this accession number.")
    objection, is_new = PatientObjection.objects.get_or_create(
        patient=case.patient, ended_at=None, defaults={"reason": reason, "recorded_by": actor}
    )
    if is_new:
        record(
            actor=actor,
            action="objection.recorded",
            target=case.patient,
            reason=reason,
            patient=case.patient_id,
        )
    return objection


@transaction.atomic
def end_objection(*, objection_id: int, actor: "User") -> PatientObjection:
    """Note that the patient took it back. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't manage models.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not record objections.")
    objection = PatientObjection.objects.select_for_update().get(pk=objection_id)
    if objection.ended_at is None:
        objection.ended_by, objection.ended_at = actor, timezone.now()
        objection.save(update_fields=["ended_by", "ended_at"])
        record(
            actor=actor,
            action="objection.ended",
            target=objection.patient,
            patient=objection.patient_id,
        )
    return objection
