"""How far readers agree, with limits that know that cells of one case are alike: pure functions.

Counts come case by case: float[cases, K, K], entry (i, j) of a case being how many of its cells
the first reader called i and the second j.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

Reals = NDArray[np.float64]
Statistic = Callable[[Reals], Reals]
"""From tables float[..., K, K] to values float[...]; NaN where a table says nothing."""

LEAST_CELLS: Final = 50
"""Cells below which no figure is given; a custom of these boards."""
LEAST_CASES: Final = 5
"""Cases below which a figure has no limits: between fewer, no spread can be told.
`benchmarks.agreement_coverage` shows that the limits hold from so many on."""
CONFIDENCE: Final = 0.95
NO_SPREAD: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Figure:
    """A value over cells of several cases; limits are None where no spread can be told."""

    value: float
    low: float | None
    high: float | None


def kappa(tables: Reals) -> Reals:
    """Return Cohen's kappa, (p_o - p_e) / (1 - p_e) (Educ Psychol Meas 20:37, 1960).

    NaN without cells, or where both used one and the same class alone.
    """
    counts = tables.sum((-2, -1))
    by_chance = (tables.sum(-1) * tables.sum(-2)).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = by_chance / counts**2
        found = (observed(tables) - expected) / (1 - expected)
    return np.where(expected < 1 - 1e-12, found, np.nan)


def observed(tables: Reals) -> Reals:
    """Return the share of cells to which both gave the same class; NaN without cells."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.trace(tables, axis1=-2, axis2=-1) / tables.sum((-2, -1)))


def positive(place: int) -> Statistic:
    """Return the positive agreement of one class, 2 a / (2 a + b + c).

    Of a cell that either reader calls so, the probability that the other does too (Cicchetti and
    Feinstein, J Clin Epidemiol 43:551, 1990). NaN where neither used the class.
    """

    def agreement(tables: Reals) -> Reals:
        named = tables[..., place, :].sum(-1) + tables[..., :, place].sum(-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(2 * tables[..., place, place] / named)

    return agreement


def alpha(coincidences: Reals) -> Reals:
    """Return Krippendorff's alpha for classes without order, 1 - D_o / D_e.

    `coincidences` are symmetric: each cell that m readers named adds 1 / (m - 1) for each ordered
    pair of them (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011). NaN where all
    used one class alone.
    """
    named = coincidences.sum((-2, -1))
    by_class = coincidences.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        differ = 1 - np.trace(coincidences, axis1=-2, axis2=-1) / named
        chance = 1 - (by_class * (by_class - 1)).sum(-1) / (named * (named - 1))
        return np.where(chance > 1e-12, 1 - differ / chance, np.nan)


def figure_of(statistic: Statistic, tables: Reals, *, floor: float = 0.0) -> Figure | None:
    """Return a figure over all cases with 95 % limits; None where the tables say nothing.

    The jackknife that leaves one case out at a time, with Student's t of one degree less than
    there are cases (Efron and Stein, Ann Stat 9:586, 1981): cells of one case are alike, so what
    varies is the case. Limits are cut at `floor` and 1. None are given of fewer than `LEAST_CASES`
    cases, nor where all cases are alike: that nothing differed in few cells doesn't say that
    nothing could.
    """
    together = tables.sum(0)
    value = float(statistic(together))
    if np.isnan(value):
        return None
    cases = len(tables)
    without_one = statistic(together - tables)
    if cases < LEAST_CASES or np.isnan(without_one).any():
        return Figure(value, None, None)
    variance = (cases - 1) / cases * float(((without_one - without_one.mean()) ** 2).sum())
    if variance < NO_SPREAD:
        return Figure(value, None, None)
    half = float(student.ppf((1 + CONFIDENCE) / 2, cases - 1)) * sqrt(variance)
    return Figure(value, max(floor, value - half), min(1.0, value + half))
