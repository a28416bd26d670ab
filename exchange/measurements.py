"""Values of analysers as sent, and their conversion to the units of the record."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from classifier.enums import Analyte
from exchange.refusals import NOT_IN_TABLE, Refusal

NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,6})?")
HUNDREDTHS = Decimal("0.01")

CELLS_PER_LITRE: dict[str, Decimal | int] = {
    "10*9/l": 1, "10^9/l": 1, "x10^9/l": 1, "10e9/l": 1, "e9/l": 1, "10*3/ul": 1, "10^3/ul": 1,
    "x10^3/ul": 1, "x10*3/ul": 1, "10e3/ul": 1, "k/ul": 1, "thou/ul": 1, "k/mm3": 1, "10*3/mm3": 1,
    "10^3/mm3": 1, "/nl": 1, "1/nl": 1, "10*6/ml": 1,
    "10*2/ul": Decimal("0.1"), "10^2/ul": Decimal("0.1"), "10*4/ul": 10, "10^4/ul": 10,
    "/ul": Decimal("0.001"), "1/ul": Decimal("0.001"), "{cells}/ul": Decimal("0.001"),
    "cells/ul": Decimal("0.001"), "/mm3": Decimal("0.001"), "cells/mm3": Decimal("0.001"),
}  # fmt: skip
"""Unit, written as analysers do, -> how many 10*9/L one of it is (10*3/uL = 10*9/L)."""

PER_HUNDRED_LEUKOCYTES: dict[str, Decimal | int] = {
    "/100{wbcs}": 1, "/100{wbc}": 1, "{#}/100{wbcs}": 1, "/100wbc": 1, "/100wbcs": 1, "/100 wbc": 1,
    "/100 wbcs": 1, "per 100 wbc": 1, "%": 1, "/100": 1,
}  # fmt: skip

UNITS = {
    Analyte.LEUKOCYTES: CELLS_PER_LITRE,
    Analyte.PLATELETS: CELLS_PER_LITRE,
    Analyte.ERYTHROBLASTS: CELLS_PER_LITRE,
    Analyte.ERYTHROBLASTS_PER_HUNDRED: PER_HUNDRED_LEUKOCYTES,
}


@dataclass(frozen=True, slots=True)
class SentValue:
    """One value as it stood in a message; `codes` are all names that were given to its test.

    `status` is one of `classifier.enums.ResultStatus`, `measured_at` is UTC, and `location` says
    where its unit stands.
    """

    position: int
    codes: tuple[str, ...]
    value: str
    unit: str
    status: str
    measured_at: datetime
    flags: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class SpecimenResults:
    """What was measured of one specimen: every number it may be known by, and the values."""

    specimen_ids: tuple[str, ...]
    patient_numbers: tuple[str, ...]
    instrument: str
    values: tuple[SentValue, ...]
    notes: tuple[str, ...] = ()


def as_number(text: str) -> Decimal | None:
    """Return the number that was sent; None for what analysers write where they have none."""
    return Decimal(text) if text.isascii() and NUMBER.fullmatch(text) else None


def convert(
    number: Decimal, unit: str, analyte: Analyte, factor: Decimal, location: str
) -> Decimal:
    """Return a value in the unit of its analyte (`ANALYTE_UNITS`), rounded once to hundredths.

    Raises:
        Refusal: the unit is unknown, or of another kind of quantity.
    """
    known = UNITS[analyte]
    found = known.get(_plain(unit))
    if found is None:
        text = "This unit is not known for this analyte."
        raise Refusal(text, code=NOT_IN_TABLE, location=location)
    return (number * found * factor).quantize(HUNDREDTHS, ROUND_HALF_UP)


def _plain(unit: str) -> str:
    """Fold case, spaces at the ends and the two micro signs."""
    return unit.strip().replace("µ", "u").replace("μ", "u").lower()
