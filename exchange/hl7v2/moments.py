"""Dates and times of HL7 v2 (data types DT and TS) and of ASTM, which writes them alike."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from exchange.refusals import Refusal

MOMENT = re.compile(
    r"(?P<date>\d{8})(?P<clock>\d{2}(?:\d{2}(?:\d{2})?)?)?(?:\.\d{1,6})?(?P<zone>[+-]\d{4})?"
)


def read_date(text: str, location: str) -> date:
    """Return the day of YYYYMMDD, whatever follows it.

    Raises:
        Refusal: no such day, or less precise than a day.
    """
    match = MOMENT.fullmatch(text)
    try:
        if match and match["date"].isascii():
            return datetime.strptime(match["date"], "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        pass
    raise Refusal("This is no date that can be read.", location=location)


def read_moment(text: str, zone: tzinfo, location: str) -> datetime:
    """Return the moment of YYYYMMDD[HH[MM[SS[.S]]]][+ZZZZ]; without offset it is in `zone`.

    Fractions of seconds are dropped, a bare day means its midnight.

    Raises:
        Refusal: no such moment, or less precise than a day.
    """
    match = MOMENT.fullmatch(text)
    if match and text.isascii():
        digits = match["date"] + (match["clock"] or "").ljust(6, "0")
        try:
            found = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(
                tzinfo=_offset(match["zone"]) if match["zone"] else zone
            )
            return found.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise Refusal("This is no time that can be read.", location=location)


def is_bare_day(text: str) -> bool:
    """True for a date without a time of day."""
    match = MOMENT.fullmatch(text)
    return match is not None and match["clock"] is None


def _offset(text: str) -> timezone:
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
