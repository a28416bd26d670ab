"""Periods of the calendar: years, months, days."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from retention.enums import TimeUnit

MONTHS_IN_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Period:
    """A whole number of years, months or days."""

    number: int
    unit: TimeUnit

    def __str__(self) -> str:
        word = str(self.unit.label)
        return f"{self.number} {word.removesuffix('s') if self.number == 1 else word}"

    def before(self, day: date) -> date:
        """Return the day that lies so long before; a day that the month lacks is its last.

        Raises:
            ValueError, OverflowError: that lies before the year 1.
        """
        if self.unit == TimeUnit.DAYS:
            return day - timedelta(days=self.number)
        months = self.number * (MONTHS_IN_A_YEAR if self.unit == TimeUnit.YEARS else 1)
        year, month = divmod(day.year * MONTHS_IN_A_YEAR + day.month - 1 - months, MONTHS_IN_A_YEAR)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last))
