"""Restricted records for those who protect them, and for those to whom they are closed."""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Upper
from django.shortcuts import get_object_or_404

from accounts import selectors as trail
from classifier import policies
from classifier.models import (
    Case,
    CaseTakeUp,
    EmergencyAccess,
    NamedPerson,
    Patient,
    Restriction,
)

if TYPE_CHECKING:
    from accounts.models import User

MOST_LOOKS = 500


@dataclass(frozen=True, slots=True)
class ClosedRecord:
    """A record that is closed to somebody, and what that person may do about it."""

    patient: Patient
    case: Case | None
    may_take_up: bool
    may_break_glass: bool


@dataclass(frozen=True, slots=True)
class RestrictionPage:
    """A restriction with whom it lets in by name or work, and who broke the glass."""

    restriction: Restriction
    named: list[NamedPerson]
    former: list[NamedPerson]
    taken: list[CaseTakeUp]
    emergencies: list[EmergencyAccess]


def get_closed_patient(user: "User", patient_id: uuid.UUID) -> ClosedRecord:
    """Return a record that is closed to the user by a restriction; else Http404."""
    patient = get_object_or_404(Patient.objects.restricted_for(user), pk=patient_id)
    return ClosedRecord(
        patient, None, may_take_up=False, may_break_glass=policies.can_break_glass(user)
    )


def get_closed_case(user: "User", case_id: uuid.UUID) -> ClosedRecord:
    """Return a case whose record is closed to the user by a restriction; else Http404."""
    cases = Case.objects.restricted_for(user).select_related("patient")
    case = get_object_or_404(cases, pk=case_id)
    may_take_up = policies.can_take_up(user, case)
    return ClosedRecord(case.patient, case, may_take_up, policies.can_break_glass(user))


def find_by_number(user: "User", text: str) -> list[Patient]:
    """Return the records closed to the user whose whole MRN was typed; names find none.

    A number of a record that was merged finds the one that stands for it.
    """
    words = {word.upper() for word in text.replace(",", " ").split()}
    if not words:
        return []
    numbered = Patient.objects.annotate(number=Upper("mrn")).filter(number__in=words)
    standing = Patient.objects.restricted_for(user).standing_for(numbered)
    return list(standing.order_by("pk"))


def restricted_record(patient_id: uuid.UUID) -> Patient | None:
    """Return the patient if the record is restricted, to whomever."""
    restricted = Restriction.objects.filter(lifted_at=None).values("patient")
    return Patient.objects.filter(pk=patient_id, pk__in=restricted).first()


def restriction_of(patient: Patient) -> Restriction | None:
    """Return the restriction that is in force."""
    return patient.restrictions.filter(lifted_at=None).first()


def list_restrictions() -> QuerySet[Restriction]:
    """Return all restrictions, those in force first, with how many people each names."""
    standing = Count("named", filter=Q(named__ended_at=None))
    return (
        Restriction.objects.select_related("set_by", "lifted_by")
        .annotate(named_count=standing)
        .order_by("-lifted_at", "-set_at")
    )


def get_restriction(restriction_id: uuid.UUID) -> RestrictionPage:
    """Return a restriction; else Http404."""
    found = get_object_or_404(
        Restriction.objects.select_related("patient", "set_by", "lifted_by"), pk=restriction_id
    )
    named = list(found.named.select_related("user", "named_by", "ended_by"))
    taken = CaseTakeUp.objects.filter(case__patient=found.patient_id)
    return RestrictionPage(
        restriction=found,
        named=[one for one in named if one.ended_at is None],
        former=[one for one in named if one.ended_at is not None],
        taken=list(taken.select_related("case", "taken_by")),
        emergencies=list(list_emergencies().filter(patient=found.patient_id)),
    )


def list_emergencies() -> QuerySet[EmergencyAccess]:
    """Return all emergency accesses, those that nobody judged first, each by when it is due."""
    found = EmergencyAccess.objects.select_related("opened_by", "judgement__judged_by")
    return found.order_by(F("judgement").asc(nulls_first=True), "judge_by", "pk")


def get_emergency(access_id: uuid.UUID) -> tuple[EmergencyAccess, list[trail.AuditEntry]]:
    """Return an emergency access and everything done with the record under it; else Http404."""
    access = get_object_or_404(list_emergencies(), pk=access_id)
    done = trail.list_audit_events().about_patient(access.patient_id)
    done = done.filter(actor=access.opened_by_id, at__gte=access.began_at, at__lt=access.ends_at)
    return access, [trail.describe(event) for event in done[:MOST_LOOKS]]
