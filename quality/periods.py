"""The days that a board is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date

SHOWN_FIRST = timedelta(days=28)
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of one day to the end of another, in the laboratory's time zone."""

    first: date
    last: date

    @classmethod
    def read(cls, asked: Mapping[str, str], *, shown: timedelta = SHOWN_FIRST) -> "Period":
        """Read `first` and `last` of a request; what is missing or can't be is `shown` to today.

        A period is at most 366 days long, its latest ones.
        """
        last = _day(asked.get("last")) or timezone.localdate()
        first = _day(asked.get("first")) or last - shown + timedelta(days=1)
        first, last = sorted((first, last))
        return cls(max(first, last - LONGEST + timedelta(days=1)), last)

    @property
    def begins_at(self) -> datetime:
        """The first moment."""
        return timezone.make_aware(datetime.combine(self.first, time.min))

    @property
    def ends_before(self) -> datetime:
        """The first moment after it."""
        return timezone.make_aware(datetime.combine(self.last + timedelta(days=1), time.min))

    @property
    def query(self) -> str:
        """The same period as an address says it."""
        return f"first={self.first}&last={self.last}"

    def weeks(self) -> Iterator[date]:
        """Give the Mondays of the weeks that it touches."""
        monday = monday_of(self.first)
        while monday <= self.last:
            yield monday
            monday += timedelta(days=7)


def monday_of(day: date) -> date:
    """Return the Monday of a day's week (ISO 8601)."""
    return day - timedelta(days=day.weekday())


def _day(text: str | None) -> date | None:
    try:
        return parse_date(text or "")
    except ValueError:
        return None
