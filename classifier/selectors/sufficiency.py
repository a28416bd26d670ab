"""Whether a case holds enough cells, and what to say to the technician where it doesn't."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import ceil

from classifier.enums import CellType
from classifier.selectors.differential import Differential, Row

DECISION_LIMITS: Mapping[str, Decimal] = {CellType.BLAST: Decimal(20)}
"""Percentages that decide a diagnosis: 20 % blasts (acute leukaemia)."""


def reasons_for_more(differential: Differential, *, fields: int) -> tuple[str, ...]:
    """Say why more fields are needed, if they are: too few cells, or too near a decision.

    ``fields`` is how many the leukocytes come from, 0 where all are single-cell pictures.
    """
    return tuple(_reasons(differential, fields))


def _reasons(differential: Differential, fields: int) -> Iterator[str]:
    if differential.is_below_target:
        counted = f"{differential.leukocytes} of {differential.target} leukocytes counted"
        yield f"{counted}{_how_many_more(differential, fields)}."
    for row in differential.rows:
        limit = DECISION_LIMITS.get(row.cell_type)
        if limit is not None and _straddles(row, limit):
            yield (
                f"{row.cell_type.label}: {row.percent} % may be {row.interval.low} to "  # type: ignore[union-attr]
                f"{row.interval.high} %, on both sides of {limit} %: count more cells."  # type: ignore[union-attr]
            )


def _how_many_more(differential: Differential, fields: int) -> str:
    if not fields or not differential.leukocytes:
        return ""
    missing = differential.target - differential.leukocytes
    more = ceil(missing * fields / differential.leukocytes)
    return f": about {more} more field{'s' if more > 1 else ''} like these are needed"


def _straddles(row: Row, limit: Decimal) -> bool:
    return bool(row.count and row.interval and row.interval.low < limit < row.interval.high)
