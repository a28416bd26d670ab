"""How values are written in every document: dates that can't be misread, limits without noughts."""

from datetime import UTC, date, datetime
from decimal import Decimal

from reports.content import (
    AnalyserResult,
    CriticalCall,
    CriticalResult,
    Delta,
    DifferentialRow,
    GradedFeature,
    Reference,
)

EN_DASH = "\u2013"
MINUS = "\u2212"
HUNDREDS = 100
UNIT_WORDS = {
    "10*9/L": "\u00d7 10⁹/L",
    "%": "%",
    "{cells}": "seen",
    "/100{WBCs}": "per 100 leukocytes",
}
FLAG_SIGNS = {"low": "↓", "high": "↑", "critical_low": "↓↓", "critical_high": "↑↑", "critical": "!"}


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
    """Return the limits of an interval with the decimals they need.

    Absolute ones have at least one, but for those of hundreds (platelets).
    """
    if reference is None:
        return EN_DASH
    least = 0 if reference.quantity.code == "percent" or reference.low >= HUNDREDS else 1
    decimals = max(least, _decimals(reference.low), _decimals(reference.high))
    return f"{reference.low:.{decimals}f}{EN_DASH}{reference.high:.{decimals}f}"


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -int(exponent))


def count_of(row: DifferentialRow) -> str:
    """Return a row's count with its percentage."""
    return f"{row.count} ({row.percent} %)" if row.percent is not None else str(row.count)


def intervals_of(row: DifferentialRow) -> str:
    """Return a row's 95 % interval and, if there is another, the one with naming errors."""
    if row.ci_low is None:
        return EN_DASH
    text = f"{row.ci_low}{EN_DASH}{row.ci_high}"
    if row.naming_low is not None:
        text += f", with naming errors {row.naming_low}{EN_DASH}{row.naming_high}"
    return text


def percent_of(feature: GradedFeature) -> str:
    """Return the count that was typed for a graded feature, with its unit; empty without one."""
    if feature.count is None:
        return ""
    decimals = _decimals(feature.count)
    return f"{feature.count:.{decimals}f} {feature.unit}"


def grade_of(feature: GradedFeature) -> str:
    """Return a grade with what it rests on, the version of its cut-offs and their state."""
    parts = [feature.grade_name]
    if feature.count is not None:
        parts.append(percent_of(feature) + (" (grade overruled)" if feature.is_overruled else ""))
    if feature.comment:
        parts.append(feature.comment)
    state = "approved" if feature.is_approved else "unconfirmed"
    return f"{', '.join(parts)} (version {feature.version}, {state})"


def delta_text(delta: Delta) -> str:
    """Say what changed, since when and by how much."""
    unit = "%" if delta.unit == "%" else "× 10⁹/L"  # noqa: RUF001
    change = "from none" if delta.change_percent is None else f"{delta.change_percent:+} %"
    return (
        f"{delta.value} {unit}, was {delta.previous} {unit} "
        f"on {moment(delta.previous_collected_at)} "
        f"({delta.previous_accession}): {change.replace('-', MINUS)}"
    )


def delta_limit(delta: Delta) -> str:
    """Say which limit the change exceeds."""
    state = "" if delta.is_approved else ", not yet approved"
    return (
        f"limit {delta.limit_percent.normalize():f} % within {delta.window_hours} h, "
        f"version {delta.limit_version}{state}"
    )


def flag_sign(code: str) -> str:
    """Return the sign beside a flag's words; two arrows for a critical value."""
    return FLAG_SIGNS[code]


def analyser_value(result: AnalyserResult) -> str:
    """Return what an analyser measured with its unit and its own marks."""
    marks = f" ({result.marks})" if result.marks else ""
    return f"{result.value} {UNIT_WORDS[result.unit]}{marks}"


def critical_value(result: CriticalResult) -> str:
    """Return a critical value with its unit."""
    return f"{result.value} {UNIT_WORDS[result.unit]}"


def critical_limit(result: CriticalResult) -> str:
    """Return what makes a result critical, and the version of the limit that says so."""
    state = "approved" if result.is_approved else "not approved"
    if result.limit is None:
        words = "any such cell"
    else:
        words = f"{result.side.display} {result.limit.normalize():f}"
    return f"{words} (version {result.version}, {state})"


def critical_result(result: CriticalResult) -> str:
    """Return a critical result in one line."""
    known = ", reported before" if result.is_known else ""
    return f"{result.analyte.display} {critical_value(result)}{known}; {critical_limit(result)}"


def critical_call(call: CriticalCall) -> str:
    """Return a call in one line: when, what came of it, who, by whom."""
    who = ", ".join(filter(None, (call.recipient_name, call.recipient_role)))
    parts = (moment(call.called_at), call.outcome.display, who, call.reason)
    return f"{'; '.join(filter(None, parts))}; by {call.called_by}"


def fingerprint(sha256: str) -> str:
    """Return the first 16 digits of a hash in groups of four."""
    return " ".join(sha256[start : start + 4] for start in range(0, 16, 4))
