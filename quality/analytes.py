"""What is measured on a control slide: shares of the classes, cells referred, light and stain."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

from classifier.enums import CellType
from ml.appearance import SIGNALS

REFERRED: Final = "referred"
_LOOKS: Final = {
    "light": ("Light", "0 to 255"),
    "warmth": ("Lamp's colour", "red over blue"),
    "density": ("Stain's depth", "optical density"),
    "hue": ("Stain's hue", "blue over red"),
}
LEAST_RUNS: Final = 20
"""Runs from which mean and SD are established (CLSI C24: at least 20 measurements of a new lot)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Mean and standard deviation of an analyte, in its own unit; the SD is above zero."""

    mean: float
    sd: float


def title_of(analyte: str) -> str:
    """Return what an analyte is called."""
    if analyte in _LOOKS:
        return _LOOKS[analyte][0]
    return "Referred" if analyte == REFERRED else str(CellType(analyte).label)


def unit_of(analyte: str) -> str:
    """Return the unit, in words."""
    return _LOOKS[analyte][1] if analyte in _LOOKS else "% of white cells"


def analytes_of(class_names: Sequence[str]) -> list[str]:
    """Return all that is measured with a model of these classes, in the order of the pages."""
    return [*class_names, REFERRED, *SIGNALS]


def measured(
    named: Sequence[str], class_names: Sequence[str], looks: Sequence[Sequence[float]]
) -> dict[str, float]:
    """Return each analyte's value.

    `named` says what the model called each cell, "unidentified" where it referred it; shares are
    percents of all of them. `looks` are rows in the order of `ml.appearance.SIGNALS`; their means
    count. Neither is empty.
    """
    counts = Counter(named)
    shares = {name: 100 * counts[name] / len(named) for name in class_names}
    shares[REFERRED] = 100 * counts[CellType.UNIDENTIFIED] / len(named)
    means = [fmean(column) for column in zip(*looks, strict=True)]
    return shares | dict(zip(SIGNALS, means, strict=True))


def establish(runs: Sequence[Mapping[str, float]]) -> dict[str, Expected]:
    """Return mean and sample SD (n - 1) of each analyte over runs.

    Only what every run measured, and what varied: an SD of zero would reject everything.
    """
    if not runs:
        return {}
    found = {}
    for analyte in runs[0]:
        values = [run[analyte] for run in runs if analyte in run]
        spread = stdev(values) if len(values) == len(runs) > 1 else 0.0
        if spread > 0:
            found[analyte] = Expected(fmean(values), spread)
    return found
