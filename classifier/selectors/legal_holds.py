"""Legal holds for those who keep records, and what a record's page says of them."""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F, QuerySet
from django.shortcuts import get_object_or_404

from classifier import policies
from classifier.models import Case, LegalHold, Patient

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Holding:
    """What the page of a patient or a case says of legal holds.

    Everybody who reads the record sees that it is held; ``holds``, with reference and reason, are
    for those who keep records.
    """

    is_held: bool
    holds: tuple[LegalHold, ...]
    may_hold: bool


@dataclass(frozen=True, slots=True)
class HoldPage:
    """A hold, and whose record it is on if the reader may see that."""

    hold: LegalHold
    patient: Patient | None
    case: Case | None


def holding_of_patient(user: "User", patient: Patient) -> Holding:
    """Return what is said of holds on a patient's record."""
    return _holding(user, LegalHold.objects.over_patient(patient.pk))


def holding_of_case(user: "User", case: Case) -> Holding:
    """Return what is said of holds on a case or its patient's record."""
    return _holding(user, LegalHold.objects.over_case(case.pk, case.patient_id))


def list_holds() -> QuerySet[LegalHold]:
    """Return every hold, those in force first; whose record it is stands on each one's page."""
    holds = LegalHold.objects.select_related("case", "put_by", "lifted_by")
    return holds.order_by(F("lifted_at").desc(nulls_first=True), "-put_at")


def get_hold(user: "User", hold_id: uuid.UUID) -> HoldPage:
    """Return a hold; a restricted record is named only to those to whom it is open."""
    holds = LegalHold.objects.select_related("put_by", "lifted_by", "case", "patient", "follows")
    hold = get_object_or_404(holds, pk=hold_id)
    patient_id = hold.patient_id or (hold.case.patient_id if hold.case else None)
    seen = Patient.objects.visible_to(user).filter(pk__in=[patient_id]).first()
    return HoldPage(hold, seen, hold.case if seen else None)


def _holding(user: "User", holds: "QuerySet[LegalHold]") -> Holding:
    may = policies.can_hold_records(user)
    found = tuple(holds.filter(lifted_at=None).select_related("put_by"))
    return Holding(bool(found), found if may else (), may)
