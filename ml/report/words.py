"""How the report words names and numbers; a value that does not exist is a dash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

NOTHING: Final = "\N{EN DASH}"

SHORT: Final[Mapping[str, str]] = {
    "neutrophil": "NEU",
    "lymphocyte": "LYM",
    "monocyte": "MON",
    "eosinophil": "EOS",
    "basophil": "BAS",
    "immature_granulocyte": "IG",
    "erythroblast": "ERB",
    "platelet": "PLT",
}
"""Column heads where a whole name has no room."""


def words(name: str) -> str:
    """A class or figure name for people."""
    return name.replace("_", " ")


def percent(value: float | None, digits: int = 2) -> str:
    """A share as per cent."""
    return NOTHING if value is None else f"{100 * value:.{digits}f} %"


def number(value: float | None, digits: int = 4) -> str:
    """A figure that is no share."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def percent_range(interval: Sequence[float] | None, digits: int = 2) -> str:
    """An interval of shares."""
    if interval is None:
        return NOTHING
    return f"{100 * interval[0]:.{digits}f} to {100 * interval[1]:.{digits}f}"


def number_range(interval: Sequence[float] | None, digits: int = 4) -> str:
    """An interval of figures that are no shares."""
    if interval is None:
        return NOTHING
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def minus(text: str) -> str:
    """A formatted figure with a true minus sign in place of the hyphen."""
    return text.replace("-", "\N{MINUS SIGN}")


def p_value(value: float) -> str:
    """A p-value, which is never nought."""
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.4f}"


def date(moment: str) -> str:
    """An ISO moment in UTC, to the minute."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"


FILTERS: Final[Mapping[str, Any]] = {
    "words": words,
    "percent": percent,
    "number": number,
    "percent_range": percent_range,
    "number_range": number_range,
    "minus": minus,
    "p_value": p_value,
    "date": date,
}
