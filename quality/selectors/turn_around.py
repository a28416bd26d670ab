"""Turn-around of the cases that were signed in a period."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Min, OuterRef, Subquery
from django.utils import timezone

from accounts.models import User
from classifier.enums import Priority, RunStatus
from classifier.models import Case, ClassificationRun
from quality.periods import Period, monday_of
from quality.turn_around import Moments, Spread, spread_of, spreads_of
from reports.enums import ReportStatus
from reports.models import Report


@dataclass(frozen=True, slots=True)
class Week:
    """How long the cases signed in one week took from receipt to signature."""

    monday: date
    laboratory: Spread


@dataclass(frozen=True, slots=True)
class TurnAround:
    """Every stage over the period, and the whole of it week by week."""

    stages: list[Spread]
    weeks: list[Week]
    count: int


def turn_around(user: User, *, period: Period, priority: str = "") -> TurnAround:
    """Return the times of the cases first signed in the period, of one priority or of all.

    A case is signed when its first final report was issued; what was corrected later took the
    time it took. Interim reports and cases that were rejected or cancelled don't count.
    """
    cases = [_moments(row) for row in _rows(user, period, priority)]
    by_week: dict[date, list[Moments]] = {monday: [] for monday in period.weeks()}
    for case in cases:
        if case.signed:
            by_week[monday_of(timezone.localdate(case.signed))].append(case)
    weeks = [Week(monday, spread_of("laboratory", found)) for monday, found in by_week.items()]
    return TurnAround(spreads_of(cases), weeks, len(cases))


_FIELDS = (
    "specimen__collected_at", "specimen__received_at", "registered_at", "submitted_at", "read_at",
    "opened_at", "first_signed_at",
)  # fmt: skip


def _rows(user: User, period: Period, priority: str) -> Iterable[tuple[Any, ...]]:
    cases = Case.objects.visible_to(user).filter(origin=None)
    if priority in Priority.values:
        cases = cases.filter(priority=priority)
    final = Report.objects.filter(case=OuterRef("pk"), status=ReportStatus.FINAL)
    read = ClassificationRun.objects.filter(
        image__case=OuterRef("pk"), status=RunStatus.SUCCEEDED
    ).order_by("-finished_at")
    return (
        cases.annotate(
            first_signed_at=Subquery(final.values("issued_at")[:1]),
            opened_at=Min("reviews__opened_at"),
            read_at=Subquery(read.values("finished_at")[:1]),
        )
        .filter(first_signed_at__gte=period.begins_at, first_signed_at__lt=period.ends_before)
        .order_by("first_signed_at")
        .values_list(*_FIELDS)
    )


def _moments(row: tuple[Any, ...]) -> Moments:
    return Moments(*row)
