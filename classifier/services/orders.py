"""Changing what was ordered before anything was done."""

import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Model

from accounts.audit import record
from classifier import policies
from classifier.enums import CaseStatus
from classifier.exceptions import NotPermitted, TransitionRefused
from classifier.models import Case
from classifier.services.cases import SpecimenDetails, check_specimen_dates
from classifier.services.transitions import lock_case

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def change_order(
    *,
    case_id: uuid.UUID,
    actor: "User",
    priority: str,
    ordering_clinician: str,
    clinical_details: str,
    specimen: SpecimenDetails,
) -> Case:
    """Change priority, requester, clinical details and specimen of a case still registered.

    Raises:
        NotPermitted: the actor doesn't register cases.
        TransitionRefused: work on the case has begun.
        InvalidSpecimen: the dates contradict each other or lie in the future.
    """
    if not policies.can_register_patient(actor):
        raise NotPermitted("You may not change orders.")
    case = lock_case(case_id)
    if case.status != CaseStatus.REGISTERED:
        raise TransitionRefused("The order is already in progress; it can't be changed now.")
    check_specimen_dates(specimen, case.patient)
    wanted = {
        "priority": priority,
        "ordering_clinician": ordering_clinician,
        "clinical_details": clinical_details,
    }
    before = _update(case, wanted) | _update(case.specimen, asdict(specimen))
    if before:
        _record_change(case, actor, before, wanted | asdict(specimen))
    return case


def _record_change(
    case: Case, actor: "User", before: dict[str, Any], wanted: dict[str, Any]
) -> None:
    record(
        actor=actor,
        action="case.order_changed",
        target=case,
        before=before,
        after={name: value for name, value in wanted.items() if name in before},
        patient=case.patient_id,
    )


def _update(row: Model, wanted: dict[str, Any]) -> dict[str, Any]:
    """Set what differs; return the values before."""
    before = {
        name: getattr(row, name) for name, value in wanted.items() if value != getattr(row, name)
    }
    for name in before:
        setattr(row, name, wanted[name])
    if before:
        row.save(update_fields=list(before))
    return before
