"""The differential count of a case: what the findings say, and how sure and how normal that is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from django.utils import timezone

from classifier import counting
from classifier.enums import LEUKOCYTES, CaseStatus, CellType, Quantity
from classifier.findings import Mark
from classifier.models import Case, Cell, Laboratory, ReferenceInterval

ADULT_AGE_YEARS = 16
NO_INTERVAL_FOR_AGE = "no interval for this age"

# Listed apart: counted, but never part of the denominator.
APART = (CellType.PLATELET, CellType.SMUDGE_CELL, CellType.ARTEFACT, CellType.UNIDENTIFIED)

# Always on the table, even when none was seen; the other leukocytes only when present.
USUAL_LEUKOCYTES = (
    CellType.NEUTROPHIL,
    CellType.LYMPHOCYTE,
    CellType.MONOCYTE,
    CellType.EOSINOPHIL,
    CellType.BASOPHIL,
)

Flag = Literal["", "low", "high"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Two limits in the unit of the value beside them."""

    low: Decimal
    high: Decimal


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


@dataclass(frozen=True, slots=True)
class Row:
    """One class of leukocytes; percent, its 95 % interval and absolute are None without cells."""

    cell_type: CellType
    count: int
    percent: Decimal | None
    interval: Interval | None
    absolute: Decimal | None
    reference: Reference | None
    flag: Flag


@dataclass(frozen=True, slots=True)
class Aside:
    """Cells counted outside the denominator."""

    cell_type: CellType
    count: int


@dataclass(frozen=True, slots=True)
class Differential:
    """The count of a case as it stands; `is_confirmed` once a pathologist has signed it."""

    rows: tuple[Row, ...]
    leukocytes: int
    target: int
    erythroblasts: int
    erythroblasts_per_hundred: Decimal | None
    asides: tuple[Aside, ...]
    cells: int
    unresolved: int
    human_marked: int
    human_changed: int
    wbc_count: Decimal | None
    wbc_measured_at: datetime | None
    age_years: int
    reference_note: str
    is_confirmed: bool

    @property
    def is_below_target(self) -> bool:
        """True while fewer leukocytes were counted than the laboratory aims for."""
        return self.leukocytes < self.target

    @property
    def has_unapproved_reference(self) -> bool:
        """True if an interval shown was not approved by a named person."""
        return any(row.reference and not row.reference.is_approved for row in self.rows)


def get_differential(case: Case) -> Differential:
    """Count the case as it is now stored."""
    return count_cells(case, list_marks(case))


def list_marks(case: Case) -> list[Mark]:
    """Return machine's and human's word on every cell of the case."""
    cells = Cell.objects.filter(image__case=case).with_findings().order_by()
    columns = ("machine_type", "machine_referred", "human_type")
    return [Mark(machine or "", *rest) for machine, *rest in cells.values_list(*columns)]


def count_cells(case: Case, marks: Sequence[Mark]) -> Differential:
    """Return the differential of the case with these marks.

    Only leukocytes are in the denominator; erythroblasts are given per 100 of them, platelets,
    smudge cells, artefacts and unidentified cells apart.
    """
    counts = Counter(mark.finding for mark in marks)
    leukocytes = sum(counts[name] for name in LEUKOCYTES)
    erythroblasts = counts[CellType.ERYTHROBLAST]
    age = age_at_collection(case)
    return Differential(
        rows=_rows(case, counts, _references(case, age)),
        leukocytes=leukocytes,
        target=Laboratory.current().cell_target,
        erythroblasts=erythroblasts,
        erythroblasts_per_hundred=(
            counting.per_hundred(erythroblasts, leukocytes) if leukocytes else None
        ),
        asides=tuple(Aside(name, counts[name]) for name in APART),
        cells=len(marks),
        unresolved=sum(mark.is_unresolved for mark in marks),
        human_marked=sum(bool(mark.human_type) for mark in marks),
        human_changed=sum(mark.is_changed for mark in marks),
        wbc_count=case.wbc_count,
        wbc_measured_at=case.wbc_measured_at,
        age_years=age,
        reference_note=NO_INTERVAL_FOR_AGE if age < ADULT_AGE_YEARS else "",
        is_confirmed=case.status == CaseStatus.SIGNED_OFF,
    )


def age_at_collection(case: Case) -> int:
    """Return the patient's age in completed years on the day the blood was taken."""
    taken = timezone.localdate(case.specimen.collected_at)
    return completed_years(case.patient.birth_date, taken)


def completed_years(birth: date, day: date) -> int:
    """Return the birthdays passed; who was born on 29 February turns older on 1 March."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _rows(
    case: Case,
    counts: Mapping[str, int],
    references: Mapping[tuple[str, str], Reference],
) -> tuple[Row, ...]:
    shown = [name for name in LEUKOCYTES if counts[name] or name in USUAL_LEUKOCYTES]
    total = sum(counts[name] for name in shown)
    percents = counting.apportion_percent([counts[name] for name in shown])
    return tuple(
        _row(name, counts[name], total, percent, case.wbc_count, references)
        for name, percent in zip(shown, percents, strict=True)
    )


def _row(
    name: CellType,
    count: int,
    total: int,
    percent: Decimal,
    wbc: Decimal | None,
    references: Mapping[tuple[str, str], Reference],
) -> Row:
    """Hold the absolute value against its interval first, the percentage where there is no WBC."""
    quantity = Quantity.PERCENT if wbc is None else Quantity.ABSOLUTE
    reference = references.get((name, quantity))
    if not total:
        return Row(name, count, None, None, None, reference, "")
    absolute = None if wbc is None else counting.absolute_count(wbc, count, total)
    low, high = counting.clopper_pearson(count, total)
    value = percent if absolute is None else absolute
    return Row(
        cell_type=name,
        count=count,
        percent=percent,
        interval=Interval(counting.as_percent(low), counting.as_percent(high)),
        absolute=absolute,
        reference=reference,
        flag=reference.flag(value) if reference else "",
    )


def _references(case: Case, age: int) -> dict[tuple[str, str], Reference]:
    """Choose for each class and quantity the interval in force when the blood was taken.

    An interval for the patient's sex beats one for all, then the nearest age band, then what a
    named person approved, then the newest version. Below `ADULT_AGE_YEARS` there is none.
    """
    if age < ADULT_AGE_YEARS:
        return {}
    in_force = ReferenceInterval.objects.filter(
        sex__in=["", case.patient.sex],
        from_age_years__lte=age,
        effective_from__lte=timezone.localdate(case.specimen.collected_at),
    )
    chosen: dict[tuple[str, str], ReferenceInterval] = {}
    for interval in sorted(in_force, key=_preference):
        chosen[interval.cell_type, interval.quantity] = interval
    return {key: _as_reference(interval) for key, interval in chosen.items()}


def _preference(interval: ReferenceInterval) -> tuple[bool, int, bool, int]:
    """Sort the interval to prefer last."""
    is_approved = interval.approved_by_id is not None
    return bool(interval.sex), interval.from_age_years, is_approved, interval.version


def _as_reference(interval: ReferenceInterval) -> Reference:
    return Reference(
        quantity=Quantity(interval.quantity),
        limits=Interval(interval.low, interval.high),
        version=interval.version,
        source=interval.source,
        is_approved=interval.approved_by_id is not None,
    )
