"""Who did how much in a period, and what waits now."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.models import Case, Correction, SmearImage
from quality.periods import Period
from reports.models import SignOff

AGES = (timedelta(hours=4), timedelta(hours=24), timedelta(days=3))
"""Up to where the first, second and third group of waiting cases reach; the fourth has no end."""
WAITING = (
    CaseStatus.REGISTERED,
    CaseStatus.IN_CLASSIFICATION,
    CaseStatus.CLASSIFICATION_FAILED,
    CaseStatus.AWAITING_REVIEW,
    CaseStatus.IN_REVIEW,
    CaseStatus.AMENDING,
)


@dataclass(frozen=True, slots=True)
class Work:
    """What one person did in a period."""

    name: str
    registered: int
    submitted: int
    images: int
    cells_named: int
    signed: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Cases of one status, by how long ago they were registered."""

    status: CaseStatus
    by_age: tuple[int, ...]
    oldest: timedelta

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.by_age)


@dataclass(frozen=True, slots=True)
class Day:
    """What came in and what went out on one day."""

    day: date
    registered: int
    signed: int


def work_of_people(period: Period) -> list[Work]:
    """Return what each person did, those who did nothing left out, by name.

    A cell counts once for each person who named it, however often; a signature counts for every
    version of a report. What a case took over as it was registered again was done before.
    """
    pictures = SmearImage.objects.filter(case__origin=None)
    marks = Correction.objects.exclude(review__outcome=ReviewOutcome.CARRIED_OVER)
    counts = (
        _by_person(_within(Case.objects.all(), "registered_at", period), "registered_by"),
        _by_person(_within(Case.objects.all(), "submitted_at", period), "submitted_by"),
        _by_person(_within(pictures, "uploaded_at", period), "uploaded_by"),
        _by_person(_within(marks, "created_at", period), "created_by", "cell"),
        _by_person(_within(SignOff.objects.all(), "signed_at", period), "signer"),
    )
    people = {person for found in counts for person in found}
    names = User.objects.filter(pk__in=people, is_system=False).values_list("pk", "full_name")
    return [
        Work(name, *(found.get(person, 0) for found in counts))
        for person, name in names.order_by("full_name", "pk")
    ]


def backlog(user: User) -> list[Backlog]:
    """Return what waits now, in the order of the work; statuses without a case left out."""
    now = timezone.now()
    waiting: dict[str, list[timedelta]] = {status: [] for status in WAITING}
    cases = Case.objects.visible_to(user).filter(status__in=WAITING)
    for status, registered_at in cases.values_list("status", "registered_at"):
        waiting[status].append(now - registered_at)
    return [
        Backlog(status, _by_age(ages), max(ages)) for status in WAITING if (ages := waiting[status])
    ]


def days_of(user: User, period: Period) -> list[Day]:
    """Return how many cases were registered and how many first signed on each day."""
    cases = Case.objects.visible_to(user)
    came = _by_day(cases, "registered_at", period)
    went = _by_day(cases, "signed_at", period)
    length = (period.last - period.first).days + 1
    days = (period.first + timedelta(days=number) for number in range(length))
    return [Day(day, came.get(day, 0), went.get(day, 0)) for day in days]


def _within(rows: QuerySet[Any], at: str, period: Period) -> QuerySet[Any]:
    return rows.filter(**{f"{at}__gte": period.begins_at, f"{at}__lt": period.ends_before})


def _by_person(rows: QuerySet[Any], person: str, counted: str = "pk") -> dict[int, int]:
    found = rows.order_by().values_list(person).annotate(Count(counted, distinct=True))
    return dict(found)


def _by_day(rows: QuerySet[Any], at: str, period: Period) -> dict[date, int]:
    found = _within(rows, at, period).order_by().annotate(on=TruncDate(at)).values_list("on")
    return dict(found.annotate(Count("pk")))


def _by_age(ages: Iterable[timedelta]) -> tuple[int, ...]:
    found = [0] * (len(AGES) + 1)
    for age in ages:
        found[bisect_right(AGES, age)] += 1
    return tuple(found)
