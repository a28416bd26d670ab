"""Which reference interval judges a result of a case: by age, sex, date and approval."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import inf
from typing import Literal

from django.utils import timezone

from classifier.enums import LEUKOCYTES, AgeUnit, Quantity
from classifier.models import Case, CriticalLimit, Laboratory, ReferenceInterval

NO_INTERVAL_FOR_AGE = "no interval for this age"
DAYS_IN_A_YEAR = 365.25

Flag = Literal["", "low", "high", "critical_low", "critical_high", "critical"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Two limits in the unit of the value beside them."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Age:
    """How old somebody is, in completed years and in days."""

    years: int
    days: int

    @property
    def words(self) -> str:
        """Years; days in the first year of life."""
        if self.years:
            return str(self.years)
        return "1 day" if self.days == 1 else f"{self.days} days"

    def is_within(self, interval: ReferenceInterval | CriticalLimit) -> bool:
        """Tell whether the interval holds at this age; its upper end is not part of it."""
        age = self.days if interval.age_unit == AgeUnit.DAYS else self.years
        return interval.from_age <= age and (interval.to_age is None or age < interval.to_age)


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference interval that a value is held against, and where it comes from."""

    quantity: Quantity
    limits: Interval
    version: int
    source: str
    is_approved: bool

    def flag(self, value: Decimal) -> Flag:
        """Say on which side of the interval the reported (rounded) value lies."""
        if value < self.limits.low:
            return "low"
        return "high" if value > self.limits.high else ""


References = Mapping[tuple[str, str], Reference]
"""Analyte and quantity to the interval that judges."""


def age_at_collection(case: Case) -> Age:
    """Return the patient's age on the day the blood was taken."""
    taken, birth = timezone.localdate(case.specimen.collected_at), case.patient.birth_date
    return Age(years=completed_years(birth, taken), days=(taken - birth).days)


def completed_years(birth: date, day: date) -> int:
    """Return the birthdays passed; who was born on 29 February turns older on 1 March."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def choose_references(case: Case, age: Age, laboratory: Laboratory) -> References:
    """Choose for each analyte and quantity the interval in force when the blood was taken.

    What a named person approved beats a starting point, an interval for the patient's sex one
    for all, then the band that begins nearest to the age, then the shortest, then the newest
    version. Below the laboratory's adult age only approved intervals hold.
    """
    day = timezone.localdate(case.specimen.collected_at)
    in_force = ReferenceInterval.objects.in_force(day).filter(sex__in=["", case.patient.sex])
    if age.years < laboratory.adult_from_years:
        in_force = in_force.filter(approved_by__isnull=False)
    chosen: dict[tuple[str, str], ReferenceInterval] = {}
    for interval in sorted(filter(age.is_within, in_force), key=_preference):
        chosen[interval.analyte, interval.quantity] = interval
    return {key: _as_reference(interval) for key, interval in chosen.items()}


def flag_of(value: Decimal | None, reference: Reference | None) -> Flag:
    """Return the flag of a value; none where the value or its interval is not known."""
    return "" if value is None or reference is None else reference.flag(value)


def note_of(references: References) -> str:
    """Say why no class is held against an interval; empty if one is."""
    judged = any(name in LEUKOCYTES for name, _ in references)
    return "" if judged else NO_INTERVAL_FOR_AGE


def _preference(interval: ReferenceInterval) -> tuple[bool, bool, float, float, int]:
    """Sort the interval to prefer last."""
    unit = 1 if interval.age_unit == AgeUnit.DAYS else DAYS_IN_A_YEAR
    return (
        interval.approved_by_id is not None,
        bool(interval.sex),
        interval.from_age * unit,
        -inf if interval.to_age is None else -interval.to_age * unit,
        interval.version,
    )


def _as_reference(interval: ReferenceInterval) -> Reference:
    return Reference(
        quantity=Quantity(interval.quantity),
        limits=Interval(interval.low, interval.high),
        version=interval.version,
        source=interval.source,
        is_approved=interval.approved_by_id is not None,
    )
