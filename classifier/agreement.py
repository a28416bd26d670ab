"""Statistics of two readers and a machine: agreement, confusion, limits; pure functions.

Counts are non-negative integers, proportions and kappas floats; percentages lie in [0, 100].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from classifier.counting import clopper_pearson

Matrix = Sequence[Sequence[int]]
"""Square; row i, column j: how many cells the first reader called i and the second j."""

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval and the number of cells that it rests on."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa with its 95 % interval; observed and expected agreement as proportions."""

    value: float
    low: float
    high: float
    observed: float
    expected: float
    n: int


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line: y = intercept + slope x, over as many points."""

    slope: float
    intercept: float
    points: int


@dataclass(frozen=True, slots=True)
class Detection:
    """How a method names one class, held against the reference; None where nothing was to name.

    Sensitivity: of the cells of the class, those named so. Specificity: of the others, those not
    named so.
    """

    sensitivity: Estimate | None
    specificity: Estimate | None


def confusion(pairs: Sequence[tuple[str, str]], classes: Sequence[str]) -> list[list[int]]:
    """Return how often each pair of classes occurs; rows are the first of a pair.

    Raises:
        ValueError: a pair holds a class that is not listed.
    """
    place = {name: index for index, name in enumerate(classes)}
    matrix = [[0] * len(classes) for _ in classes]
    for first, second in pairs:
        if first not in place or second not in place:
            raise ValueError(f"not a listed class: {first}, {second}")
        matrix[place[first]][place[second]] += 1
    return matrix


def proportion(count: int, total: int) -> Estimate | None:
    """Return a proportion with its Clopper-Pearson interval; None of nothing."""
    if not total:
        return None
    return Estimate(count / total, *clopper_pearson(count, total), total)


def percent_agreement(matrix: Matrix) -> Estimate | None:
    """Return the proportion of cells to which both gave the same class."""
    total = sum(map(sum, matrix))
    return proportion(sum(row[index] for index, row in enumerate(matrix)), total)


def cohen_kappa(matrix: Matrix) -> Kappa | None:
    """Return Cohen's kappa; None without cells, or where both used one and the same class alone.

    kappa = (p_o - p_e) / (1 - p_e) (Cohen, Educ Psychol Meas 20:37, 1960). The interval is
    kappa ± 1.96 SE, cut at -1 and 1, with the large-sample error of Fleiss, Cohen and Everitt
    (Psychol Bull 72:323, 1969):
    SE² = (A + B - C) / (n (1 - p_e)²) with row and column shares r and c,
    A = sum_i p_ii (1 - (r_i + c_i)(1 - kappa))², B = (1 - kappa)² sum_{i != j} p_ij (c_i + r_j)²,
    C = (kappa - p_e (1 - kappa))².
    """
    total = sum(map(sum, matrix))
    if not total:
        return None
    share = [[count / total for count in row] for row in matrix]
    rows = [sum(row) for row in share]
    columns = [sum(column) for column in zip(*share, strict=True)]
    observed = sum(share[i][i] for i in range(len(share)))
    expected = sum(r * c for r, c in zip(rows, columns, strict=True))
    if expected >= 1 - 1e-12:
        return None
    value = (observed - expected) / (1 - expected)
    error = sqrt(max(0.0, _kappa_variance(share, rows, columns, value, expected)) / total)
    low, high = max(-1.0, value - Z * error), min(1.0, value + Z * error)
    return Kappa(value, low, high, observed, expected, total)


def _kappa_variance(
    share: list[list[float]],
    rows: list[float],
    columns: list[float],
    kappa: float,
    expected: float,
) -> float:
    """n times the squared error of `cohen_kappa`."""
    places = range(len(share))
    rest = 1 - kappa
    same = sum(share[i][i] * (1 - (rows[i] + columns[i]) * rest) ** 2 for i in places)
    other = rest**2 * sum(
        share[i][j] * (columns[i] + rows[j]) ** 2 for i in places for j in places if i != j
    )
    return (same + other - (kappa - expected * rest) ** 2) / (1 - expected) ** 2


def standard_error(percent: float, n: int) -> float:
    """Return the error of a percentage, in percent: sqrt(p q / n) (CLSI H20-A2).

    Raises:
        ValueError: nothing was counted, or the percentage is none.
    """
    if n <= 0 or not 0 <= percent <= 100:
        raise ValueError(f"no percentage: {percent} of {n}")
    return sqrt(percent * (100 - percent) / n)


def reference_limits(percent: float, n: int) -> tuple[float, float]:
    """Return percent ± 1.96 SE within [0, 100]: the 95 % limits of CLSI H20-A2."""
    half = Z * standard_error(percent, n)
    return max(0.0, percent - half), min(100.0, percent + half)


def detection(pairs: Sequence[tuple[str, str]], name: str) -> Detection:
    """Return how one class is named; pairs are (reference, method), with Clopper-Pearson limits."""
    of_class = [method for reference, method in pairs if reference == name]
    of_others = [method for reference, method in pairs if reference != name]
    return Detection(
        sensitivity=proportion(of_class.count(name), len(of_class)),
        specificity=proportion(len(of_others) - of_others.count(name), len(of_others)),
    )


def deming(points: Sequence[tuple[float, float]]) -> Line | None:
    """Return the line through (x, y) whose errors are alike in both; None below three points.

    Deming regression with ratio 1 (Cornbleet and Gochman, Clin Chem 25:432, 1979), as both methods
    count: slope = (S_yy - S_xx + sqrt((S_yy - S_xx)² + 4 S_xy²)) / (2 S_xy). None as well where
    x and y don't vary together.
    """
    if len(points) < 3:
        return None
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    s_xx = sum((x - mean_x) ** 2 for x, _ in points)
    s_yy = sum((y - mean_y) ** 2 for _, y in points)
    s_xy = sum((x - mean_x) * (y - mean_y) for x, y in points)
    if abs(s_xy) < 1e-12:
        return None
    slope = (s_yy - s_xx + sqrt((s_yy - s_xx) ** 2 + 4 * s_xy**2)) / (2 * s_xy)
    return Line(slope, mean_y - slope * mean_x, len(points))
