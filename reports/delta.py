"""The delta check: whether a result differs from the patient's last one more than is likely.

A class is flagged when each of its two shares lies outside the other's 95 % interval, the widest
known, and the share changed by more than the laboratory's limit for the class, in percent of the
previous one. The analyser's white count has no interval here; its limit alone decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone

from classifier.counting import TENTHS, as_percent, clopper_pearson
from classifier.enums import LEUKOCYTES, UNITS, WHITE_COUNT, Quantity
from classifier.models import Case, DeltaLimit
from reports import content as c
from reports.previous import PastResult

PERCENT = UNITS[Quantity.PERCENT]
CELLS_PER_LITRE = UNITS[Quantity.ABSOLUTE]


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its interval, None where it has none."""

    value: Decimal
    low: Decimal | None = None
    high: Decimal | None = None

    def excludes(self, value: Decimal) -> bool:
        """Tell whether another value lies outside the interval; outside none if there is none."""
        if self.low is None or self.high is None:
            return True
        return not self.low <= value <= self.high


def measure(
    rows: Sequence[c.DifferentialRow], white_count: c.WhiteCount | None
) -> dict[str, Measured]:
    """Return the values that a delta check compares, by analyte.

    A class that isn't listed was not seen: 0.0 %, with the interval of none in so many.
    """
    found: dict[str, Measured] = {}
    total = sum(row.count for row in rows)
    if total:
        none = Measured(Decimal("0.0"), *map(as_percent, clopper_pearson(0, total)))
        found = dict.fromkeys(map(str, LEUKOCYTES), none)
        found |= {row.cell_type.code: _share(row) for row in rows}
    if white_count is not None:
        found[WHITE_COUNT] = Measured(white_count.basis)
    return found


def _share(row: c.DifferentialRow) -> Measured:
    lows = [end for end in (row.ci_low, row.naming_low) if end is not None]
    highs = [end for end in (row.ci_high, row.naming_high) if end is not None]
    return Measured(
        row.percent or Decimal("0.0"), min(lows, default=None), max(highs, default=None)
    )


def change_percent(now: Decimal, before: Decimal) -> Decimal | None:
    """Return the change in percent of the previous value, with one decimal; None from nothing."""
    if not before:
        return None
    return (100 * (now - before) / before).quantize(TENTHS, ROUND_HALF_UP)


def limits_in_force(case: Case) -> dict[str, DeltaLimit]:
    """Return each analyte's limit when the blood was taken: an approved one first, the newest."""
    day = timezone.localdate(case.specimen.collected_at)
    limits = DeltaLimit.objects.in_force(day)
    by_preference = sorted(limits, key=lambda it: (it.approved_by_id is not None, it.version))
    return {limit.analyte: limit for limit in by_preference}


def find_deltas(
    case: Case,
    rows: Sequence[c.DifferentialRow],
    white_count: c.WhiteCount | None,
    previous: Sequence[PastResult],
) -> tuple[c.Delta, ...]:
    """Return the flagged changes against the last result before, if it is recent enough.

    ``previous`` comes from `list_previous`, the newest first.
    """
    if not previous:
        return ()
    last = previous[0]
    limits = limits_in_force(case)
    now, before = (
        measure(rows, white_count),
        measure(last.says.differential, last.says.white_count),
    )
    return tuple(
        _describe(limits[analyte], now[analyte], before[analyte], last)
        for analyte in _flagged(now, before, limits, case.specimen.collected_at, last.collected_at)
    )


def _flagged(
    now: Mapping[str, Measured],
    before: Mapping[str, Measured],
    limits: Mapping[str, DeltaLimit],
    taken: datetime,
    taken_before: datetime,
) -> list[str]:
    analytes = [name for name in (WHITE_COUNT, *LEUKOCYTES) if name in now and name in before]
    return [
        name
        for name in analytes
        if name in limits
        and taken - taken_before <= timedelta(hours=limits[name].window_hours)
        and _is_beyond(now[name], before[name], limits[name].percent)
    ]


def _is_beyond(now: Measured, before: Measured, limit: Decimal) -> bool:
    if now.value == before.value:
        return False
    if not (now.excludes(before.value) and before.excludes(now.value)):
        return False
    return not before.value or 100 * abs(now.value - before.value) > limit * before.value


def _describe(limit: DeltaLimit, now: Measured, before: Measured, last: PastResult) -> c.Delta:
    return c.Delta(
        analyte=c.Coded(limit.analyte, limit.get_analyte_display()),
        unit=CELLS_PER_LITRE if limit.analyte == WHITE_COUNT else PERCENT,
        value=now.value,
        low=now.low,
        high=now.high,
        previous=before.value,
        previous_low=before.low,
        previous_high=before.high,
        change_percent=change_percent(now.value, before.value),
        previous_report_id=str(last.report_id),
        previous_accession=last.accession_number,
        previous_collected_at=last.collected_at,
        limit_percent=limit.percent,
        window_hours=limit.window_hours,
        limit_version=limit.version,
        is_approved=limit.approved_by_id is not None,
    )
