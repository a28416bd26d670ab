"""Search parameters of FHIR: dates with prefixes, tokens, references, counts, cursors."""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from api.fhir.outcomes import refuse

DATE = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d{1,6}))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
MOST_PER_PAGE = 100
USUAL_PER_PAGE = 20
LONGEST_VALUE = 400
DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Token:
    """`system|code`; a system of None is any, of "" none."""

    system: str | None
    code: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after this row, and so many of the resources that come of the next."""

    at: datetime
    pk: str
    skip: int = 0

    def encode(self) -> str:
        """Return the cursor as it stands in a link."""
        text = json.dumps([self.at.isoformat(), self.pk, self.skip])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Return the cursor that a link carried; else refuse."""
    try:
        padded = text.encode() + b"=" * (-len(text) % 4)
        at, pk, skip = json.loads(base64.urlsafe_b64decode(padded))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or type(skip) is not int or not 0 <= skip < MOST_PER_PAGE * 10:
            raise ValueError
        return Cursor(moment.astimezone(UTC), str(uuid.UUID(pk)), skip)
    except (ValueError, TypeError, OverflowError, AttributeError, binascii.Error) as error:
        raise refuse("The cursor is not one of this server.") from error


def read_count(text: str) -> int:
    """Return how many matches a page has, at most `MOST_PER_PAGE`."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text, re.ASCII):
        raise refuse("_count is a whole number from 1.")
    return min(int(text), MOST_PER_PAGE)


def read_token(text: str) -> Token:
    """Return a token; one without code is refused."""
    system, bar, code = text.rpartition("|")
    if not code:
        raise refuse("A token needs a code.")
    return Token(system if bar else None, code)


def read_reference(text: str, kind: str, base: str) -> str:
    """Return the id that a reference names: `id`, `Kind/id` or its address on this server."""
    return text.removeprefix(f"{base}/fhir/").removeprefix(f"{kind}/")


def read_uuid(text: str) -> uuid.UUID | None:
    """Return an id of ours; None if nothing here can have it."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def dated(column: str, text: str, *, is_day: bool = False) -> Q:
    """Return the condition that a date with its prefix puts on a column (R4, search, "date").

    The column holds moments, or days if ``is_day``: then no time of day can be asked for.
    """
    match = DATE.fullmatch(text)
    if match is None:
        raise refuse(f"{text[:40]!r} is not a date of FHIR.")
    if is_day and match["hour"]:
        raise refuse("Ask for a day, not for a time of day.")
    try:
        low, high = _bounds(match)
        return _condition(column, match["prefix"] or "eq", low, high, is_day=is_day)
    except (ValueError, OverflowError) as error:
        raise refuse(f"{text[:40]!r} is not a date of the calendar.") from error


def _condition(column: str, prefix: str, start: datetime, end: datetime, *, is_day: bool) -> Q:
    if prefix == "ap":
        gap = abs(timezone.now() - start) / 10
        start, end = start - gap, end + gap
    low, high = (start.date(), end.date()) if is_day else (start, end)
    within = Q(**{f"{column}__gte": low, f"{column}__lt": high})
    conditions = {
        "eq": within,
        "ap": within,
        "ne": ~within,
        "gt": Q(**{f"{column}__gte": high}),
        "sa": Q(**{f"{column}__gte": high}),
        "lt": Q(**{f"{column}__lt": low}),
        "eb": Q(**{f"{column}__lt": low}),
        "ge": Q(**{f"{column}__gte": low}),
        "le": Q(**{f"{column}__lt": high}),
    }
    return conditions[prefix]


def _bounds(match: re.Match[str]) -> tuple[datetime, datetime]:
    """Return the interval that a date of its precision stands for; without zone it is UTC."""
    year, month = int(match["year"]), int(match["month"] or 1)
    zone = match["zone"] or "Z"
    offset = "+00:00" if zone == "Z" else zone
    day = f"{year:04}-{month:02}-{match['day'] or '01'}"
    time = f"{match['hour'] or '00'}:{match['minute'] or '00'}:{match['second'] or '00'}"
    text = f"{day}T{time}.{match['fraction'] or '0':0<6}{offset}"
    low = datetime.fromisoformat(text).astimezone(UTC)
    return low, low + _precision(match, low)


def _precision(match: re.Match[str], low: datetime) -> timedelta:
    if match["month"] is None:
        return low.replace(year=low.year + 1) - low
    if match["day"] is None:
        wraps = low.month == DECEMBER
        after = low.replace(year=low.year + wraps, month=1 if wraps else low.month + 1)
        return after - low
    if match["fraction"]:
        return timedelta(microseconds=10 ** (6 - len(match["fraction"])))
    steps = (("second", timedelta(seconds=1)), ("minute", timedelta(minutes=1)))
    return next((step for name, step in steps if match[name]), timedelta(days=1))


def alternatives(text: str) -> Iterator[str]:
    """Yield the values of which one has to hold; commas that are escaped belong to a value."""
    for part in re.split(r"(?<!\\),", text):
        value = re.sub(r"\\([,$|\\])", r"\1", part)
        if not value or len(value) > LONGEST_VALUE or "\0" in value:
            raise refuse("A search value is empty, too long or holds what no value can hold.")
        yield value
