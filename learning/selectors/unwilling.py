"""Of whom nobody learns: patients who object, and patients whose record is restricted."""

from django.db.models import Q, QuerySet

from classifier.models import Patient, Restriction
from learning.models import PatientObjection


def objecting_patients() -> "QuerySet[Patient]":
    """Return the patients who object; an objection holds for all records of a merged patient."""
    objected = PatientObjection.objects.filter(ended_at=None).values("patient")
    return Patient.objects.filter(
        Q(pk__in=objected) | Q(absorbed__in=objected) | Q(merged_into__in=objected)
    )


def restricted_patients() -> "QuerySet[Patient]":
    """Return the patients whose record is restricted, to whomever."""
    restricted = Restriction.objects.filter(lifted_at=None).values("patient")
    return Patient.objects.filter(Q(pk__in=restricted) | Q(merged_into__in=restricted))
