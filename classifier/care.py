"""Who takes part in the care of a patient: what opens a restricted record, and to whom it is shut.

The one rule of restricted records. `hidden_patients` is what every queryset leaves out.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from classifier.enums import UNFINISHED

if TYPE_CHECKING:
    from accounts.models import User

CareRelation = Callable[["User", OuterRef], "QuerySet[Any]"]


def _reviews(user: "User", patient: OuterRef) -> "QuerySet[Any]":
    """The user has a case of the patient open for review."""
    return _rows("Review").filter(reviewer=user, completed_at=None, case__patient=patient)


def _cases(user: "User", patient: OuterRef) -> "QuerySet[Any]":
    """The user registered or submitted a case that isn't finished, or signed one."""
    at_work = Q(registered_by=user) | Q(submitted_by=user)
    mine = Q(signed_by=user) | at_work & Q(status__in=UNFINISHED)
    return _rows("Case").filter(mine, patient=patient)


def _take_ups(user: "User", patient: OuterRef) -> "QuerySet[Any]":
    """The user took up a case from the worklist that isn't finished."""
    return _rows("CaseTakeUp").filter(
        taken_by=user, case__patient=patient, case__status__in=UNFINISHED
    )


def _named(user: "User", patient: OuterRef) -> "QuerySet[Any]":
    """The access list of the record names the user."""
    return _rows("NamedPerson").filter(
        user=user, ended_at=None, restriction__lifted_at=None, restriction__patient=patient
    )


CARE_RELATIONS: list[CareRelation] = [_reviews, _cases, _take_ups, _named]
"""What makes somebody take part in the care of a patient; apps above add theirs on loading."""


def hidden_patients(user: "User") -> "QuerySet[Any]":
    """Return the ids of the patients whose restricted record is closed to the user.

    It is open to whoever takes part in the care, and for a while to whoever opened it in an
    emergency: to that person at the screen, not to the person's programs.
    """
    hidden = _rows("Restriction").filter(lifted_at=None)
    for relation in CARE_RELATIONS:
        hidden = hidden.exclude(Exists(relation(user, OuterRef("patient"))))
    if not user.acts_by_program:
        glass = running_emergencies(user).filter(patient=OuterRef("patient"))
        hidden = hidden.exclude(Exists(glass))
    return hidden.order_by().values("patient")


def running_emergencies(user: "User") -> "QuerySet[Any]":
    """Return the emergency accesses that open records to the user now."""
    return _rows("EmergencyAccess").filter(opened_by=user, ends_at__gt=timezone.now())


def patients_in_emergency(user: "User") -> frozenset[Any]:
    """Return the patients whose record the user reads under an emergency access."""
    if user.acts_by_program or user.is_system:
        return frozenset()
    return frozenset(running_emergencies(user).values_list("patient", flat=True))


def _rows(name: str) -> "QuerySet[Any]":
    return apps.get_model("classifier", name)._default_manager.all()
