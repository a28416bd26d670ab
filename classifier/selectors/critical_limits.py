"""Which critical limits judge a case, and which of its results lie beyond them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from django.utils import timezone

from classifier.critical import CriticalFinding
from classifier.enums import (
    UNITS,
    WHITE_COUNT,
    AgeUnit,
    Analyte,
    CaseStatus,
    CellType,
    CriticalRule,
    CriticalSide,
    Quantity,
)
from classifier.models import Case, Cell, CriticalLimit
from classifier.selectors.references import DAYS_IN_A_YEAR

if TYPE_CHECKING:
    from classifier.findings import Mark
    from classifier.selectors.differential import Differential, Row

CriticalFlag = Literal["critical_low", "critical_high", "critical"]
Limits = Mapping[tuple[str, str, str], CriticalLimit]
"""Analyte, rule and quantity to the limit that judges."""

_FLAGS: Mapping[str, CriticalFlag] = {
    CriticalSide.LOW: "critical_low",
    CriticalSide.HIGH: "critical_high",
    CriticalSide.SEEN: "critical",
}


def choose_limits(case: Case, holds_at_age: Callable[[CriticalLimit], bool]) -> Limits:
    """Return the critical limits in force when the blood was taken, one for each result.

    What a named person approved beats what the laboratory came with, a limit for the patient's
    sex one for all, then the nearest age band, then the newest version. Proposals judge nothing.
    """
    day = timezone.localdate(case.specimen.collected_at)
    in_force = CriticalLimit.objects.in_force(day).filter(sex__in=["", case.patient.sex])
    return {
        (limit.analyte, limit.rule, limit.quantity): limit
        for limit in sorted(filter(holds_at_age, in_force), key=_preference)
    }


def with_critical_findings(
    case: Case,
    differential: "Differential",
    marks: Sequence["Mark"],
    holds_at_age: Callable[[CriticalLimit], bool],
) -> "Differential":
    """Return the differential with its critical findings, and the flags that follow from them."""
    limits = choose_limits(case, holds_at_age)
    named = Counter(mark.human_type for mark in marks)
    found = tuple(_findings(differential, named, limits))
    if not found:
        return differential
    found = tuple(_with_standing(case, differential, item) for item in found)
    flags = {item.analyte: flag_of(item) for item in reversed(found)}
    return replace(
        differential,
        rows=tuple(
            replace(row, flag=flags.get(row.cell_type, row.flag)) for row in differential.rows
        ),
        critical=found,
        wbc_flag=flags.get(WHITE_COUNT, differential.wbc_flag),
    )


def find_platelets(
    case: Case,
    value: Decimal | None,
    holds_at_age: Callable[[CriticalLimit], bool],
    *,
    is_counted: bool = False,
) -> CriticalFinding | None:
    """Return the finding of platelets (10⁹/L) beyond their limit, if they are.

    An analyser's count needs nobody to confirm it, an estimate a reviewer.
    """
    if value is None:
        return None
    limits = choose_limits(case, holds_at_age)
    limit = limits.get((CellType.PLATELET, CriticalRule.OUTSIDE, Quantity.ABSOLUTE))
    found = _outside(limit, value) if limit else None
    if found and is_counted:
        return replace(found, label=str(Analyte.PLATELETS.label))
    return replace(found, is_confirmed=case.reviews.exists()) if found else None


def flag_of(finding: CriticalFinding) -> CriticalFlag:
    """Return the code that stands beside the value; cells that may not be there have no side."""
    return _FLAGS[finding.side]


def _preference(limit: CriticalLimit) -> tuple[bool, bool, float, int]:
    """Sort the limit to prefer last."""
    unit = 1 if limit.age_unit == AgeUnit.DAYS else DAYS_IN_A_YEAR
    return limit.is_approved, bool(limit.sex), limit.from_age * unit, limit.version


def _findings(
    differential: "Differential", named: Mapping[str, int], limits: Limits
) -> Iterator[CriticalFinding]:
    """Judge the white count, then each class; absolute counts first."""
    white = limits.get((WHITE_COUNT, CriticalRule.OUTSIDE, Quantity.ABSOLUTE))
    if white and differential.wbc is not None and (found := _outside(white, differential.wbc)):
        yield found
    for row in differential.rows:
        if found := _judge_value(row, limits):
            yield found
        seen = limits.get((row.cell_type, CriticalRule.SEEN, ""))
        if seen and named.get(row.cell_type):
            yield _finding(seen, CriticalSide.SEEN, Decimal(named[row.cell_type]), "{cells}", None)


def _judge_value(row: "Row", limits: Limits) -> CriticalFinding | None:
    values = ((Quantity.ABSOLUTE, row.absolute), (Quantity.PERCENT, row.percent))
    for quantity, value in values:
        limit = limits.get((row.cell_type, CriticalRule.OUTSIDE, quantity))
        if limit and value is not None:
            return _outside(limit, value)
    return None


def _outside(limit: CriticalLimit, value: Decimal) -> CriticalFinding | None:
    """Return the finding of a reported (rounded) value beyond the limit; on it is not beyond."""
    unit = UNITS[Quantity(limit.quantity)]
    if limit.low is not None and value < limit.low:
        return _finding(limit, CriticalSide.LOW, value, unit, limit.low)
    if limit.high is not None and value > limit.high:
        return _finding(limit, CriticalSide.HIGH, value, unit, limit.high)
    return None


def _finding(
    limit: CriticalLimit, side: CriticalSide, value: Decimal, unit: str, bound: Decimal | None
) -> CriticalFinding:
    return CriticalFinding(
        analyte=limit.analyte,
        label=str(limit.get_analyte_display()),
        quantity=limit.quantity,
        side=side.value,
        value=value,
        unit=unit,
        limit=bound,
        limit_id=limit.pk,
        limit_version=limit.version,
        limit_source=limit.source,
        is_approved=limit.is_approved,
        is_confirmed=True,
    )


def _with_standing(
    case: Case, differential: "Differential", finding: CriticalFinding
) -> CriticalFinding:
    """Say whether a human stands behind the finding, and whether it was reported before.

    The analyser's count and what a human named need nobody else; a share of the differential is
    confirmed once a reviewer has opened the case and no referred cell is left.
    """
    if finding.analyte == WHITE_COUNT:
        return finding
    if finding.side == CriticalSide.SEEN:
        return replace(finding, is_known=_was_reported(case, finding))
    is_confirmed = not differential.unresolved and case.reviews.exists()
    return replace(finding, is_confirmed=is_confirmed)


def _was_reported(case: Case, finding: CriticalFinding) -> bool:
    """Say whether a final report of the patient, not too old, already told of such cells."""
    days = CriticalLimit.objects.values_list("known_days", flat=True).get(pk=finding.limit_id)
    if not days:
        return False
    earlier = Cell.objects.filter(
        image__case__patient=case.patient_id,
        image__case__status=CaseStatus.SIGNED_OFF,
        image__case__signed_at__gte=case.specimen.collected_at - timedelta(days=days),
    ).exclude(image__case=case)
    names = earlier.counted().values_list("human_type", flat=True)  # type: ignore[misc]
    return finding.analyte in names
