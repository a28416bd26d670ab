"""How values are written in every document: dates that can't be misread, limits without noughts."""

from datetime import UTC, date, datetime
from decimal import Decimal

from reports.content import DifferentialRow, Reference

EN_DASH = "\u2013"


def moment(value: datetime | None) -> str:
    """Return a time with the month by name, on the 24-hour clock, in UTC."""
    return value.astimezone(UTC).strftime("%d %b %Y, %H:%M UTC") if value else "not stated"


def moment_exact(value: datetime) -> str:
    """Return a time to the second."""
    return value.astimezone(UTC).strftime("%d %b %Y, %H:%M:%S UTC")


def w3c_moment(value: datetime) -> str:
    """Return a time in W3C's profile of ISO 8601, which PDF metadata are made of."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(value: date) -> str:
    """Return a date with the month by name."""
    return value.strftime("%d %b %Y")


def limits(reference: Reference | None) -> str:
    """Return the limits of an interval with the decimals they need, absolute ones at least one."""
    if reference is None:
        return EN_DASH
    least = 0 if reference.quantity.code == "percent" else 1
    decimals = max(least, _decimals(reference.low), _decimals(reference.high))
    return f"{reference.low:.{decimals}f}{EN_DASH}{reference.high:.{decimals}f}"


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -int(exponent))


def count_of(row: DifferentialRow) -> str:
    """Return a row's count with its percentage."""
    return f"{row.count} ({row.percent} %)" if row.percent is not None else str(row.count)


def fingerprint(sha256: str) -> str:
    """Return the first 16 digits of a hash in groups of four."""
    return " ".join(sha256[start : start + 4] for start in range(0, 16, 4))
