"""How long the stages of a case take: medians and 90th centiles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

STAGES: Final[Mapping[str, tuple[str, str, str]]] = {
    "transport": ("Collected to received", "collected", "received"),
    "registration": ("Received to registered", "received", "registered"),
    "intake": ("Registered to submitted", "registered", "submitted"),
    "reading": ("Submitted to read by the classifier", "submitted", "read"),
    "waiting": ("Read to opened for review", "read", "opened"),
    "review": ("Opened to signed", "opened", "signed"),
    "laboratory": ("Received to signed", "received", "signed"),
}
"""Name -> what it is called, and the moments between which it lies; the last spans all."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When a case reached each point; None where it never did, as a case read by hand alone."""

    collected: datetime | None
    received: datetime | None
    registered: datetime | None
    submitted: datetime | None
    read: datetime | None
    opened: datetime | None
    signed: datetime | None

    def spent_in(self, stage: str) -> timedelta | None:
        """Return the time between a stage's moments, never below zero; None if one is missing."""
        _, began, ended = STAGES[stage]
        first, last = getattr(self, began), getattr(self, ended)
        return None if first is None or last is None else max(last - first, timedelta())


@dataclass(frozen=True, slots=True)
class Spread:
    """How long one stage took over `count` cases; None without any."""

    stage: str
    count: int
    median: timedelta | None
    centile_90: timedelta | None
    longest: timedelta | None

    @property
    def label(self) -> str:
        """What the stage is called."""
        return STAGES[self.stage][0]


def spread_of(stage: str, cases: Iterable[Moments]) -> Spread:
    """Return median and 90th centile of a stage, by linear interpolation between cases.

    The centile at p of n sorted values is that at place p(n - 1), as NumPy and PostgreSQL's
    `percentile_cont` reckon it (Hyndman and Fan 1996, type 7).
    """
    spent = [time.total_seconds() for case in cases if (time := case.spent_in(stage)) is not None]
    if not spent:
        return Spread(stage, 0, None, None, None)
    median, centile, longest = (
        timedelta(seconds=round(float(value))) for value in np.quantile(spent, (0.5, 0.9, 1.0))
    )
    return Spread(stage, len(spent), median, centile, longest)


def spreads_of(cases: Sequence[Moments]) -> list[Spread]:
    """Return every stage's spread, in the order of the work."""
    return [spread_of(stage, cases) for stage in STAGES]
