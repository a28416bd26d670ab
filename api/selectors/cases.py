"""Cases as the API lists them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, QuerySet

from classifier import lifecycle
from classifier.models import Case, CriticalAlert, Patient, Review
from classifier.querysets import CaseQuerySet

if TYPE_CHECKING:
    from accounts.models import User

STEPS: Mapping[str, str] = {
    "submit": "submit",
    "take_back": "take-back",
    "retry": "retry",
    "review_manually": "review-manually",
    "reject": "reject",
    "cancel": "cancel",
    "open_review": "review",
    "release": "review/release",
    "return_to_technician": "review/return",
}
"""The moves that a program can make, and where. Signing and amending are for people alone."""


CONDITIONS: Mapping[str, str] = {
    "status": "status",
    "priority": "priority",
    "accession_number": "accession_number",
    "registered_since": "registered_at__gte",
    "registered_before": "registered_at__lt",
    "signed_since": "signed_at__gte",
    "signed_before": "signed_at__lt",
}
"""What a list can be asked for, and which column it is held against."""


def list_cases(user: "User", wanted: Mapping[str, Any]) -> CaseQuerySet:
    """Return the visible cases for which all conditions hold."""
    cases: CaseQuerySet = Case.objects.visible_to(user)
    named = {column: wanted[name] for name, column in CONDITIONS.items() if name in wanted}
    cases = cases.filter(**named)
    if "patient" in wanted:
        asked = Patient.objects.filter(pk=wanted["patient"])
        cases = cases.filter(patient__in=Patient.objects.all().standing_for(asked))
    if "reviewer" in wanted:
        cases = cases.filter(Exists(_open_reviews().filter(reviewer=user)))
    if "critical" in wanted:
        cases = cases.filter(Exists(_untold_alerts()))
    return cases


def _open_reviews() -> "QuerySet[Review]":
    return Review.objects.filter(case=OuterRef("pk"), completed_at=None)


def _untold_alerts() -> "QuerySet[CriticalAlert]":
    return CriticalAlert.objects.filter(case=OuterRef("pk"), waiting_since__isnull=False)


def steps_of(case: Case, user: "User") -> list[str]:
    """Return the steps that the person could take by a program now, as their addresses."""
    return [STEPS[name] for name in lifecycle.available(case, user) if name in STEPS]
