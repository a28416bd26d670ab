"""Arithmetic of the differential: exact, rounded once, pure functions."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from scipy.special import betaincinv

TENTHS = Decimal("0.1")
HUNDREDTHS = Decimal("0.01")
CONFIDENCE = 0.95


def apportion_percent(counts: Sequence[int]) -> list[Decimal]:
    """Return each count as percent with one decimal; together exactly 100.0.

    Largest remainder (Hamilton) over tenths of a percent; a tie goes to the larger count, then
    to the earlier one. All are 0.0 when nothing was counted.
    """
    total = sum(counts)
    if not total:
        return [Decimal("0.0")] * len(counts)
    tenths = [1000 * count // total for count in counts]
    by_claim = sorted(
        range(len(counts)),
        key=lambda place: (-(1000 * counts[place] % total), -counts[place], place),
    )
    for place in by_claim[: 1000 - sum(tenths)]:
        tenths[place] += 1
    return [Decimal(value).scaleb(-1) for value in tenths]


def clopper_pearson(count: int, total: int) -> tuple[float, float]:
    """Return the exact binomial 95 % interval of a proportion, each limit in [0, 1].

    Lower: Beta(a/2; k, n-k+1), 0 when k = 0. Upper: Beta(1-a/2; k+1, n-k), 1 when k = n
    (Clopper and Pearson, Biometrika 26:404, 1934). It covers sampling error only.

    Raises:
        ValueError: unless 0 ≤ count ≤ total and total > 0.
    """
    if not 0 <= count <= total or not total:
        raise ValueError(f"no proportion: {count} of {total}")
    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return low, high


def absolute_count(wbc: Decimal, count: int, total: int) -> Decimal:
    """Return WBC * count / total, computed exactly and rounded once to hundredths (10⁹/L)."""
    return _rounded(Fraction(wbc) * count / total, HUNDREDTHS)


def corrected_for_erythroblasts(wbc: Decimal, erythroblasts: int, leukocytes: int) -> Decimal:
    """Return 100 WBC / (100 + E), E erythroblasts per 100 leukocytes, in hundredths (10⁹/L).

    An analyser that counts nuclei takes erythroblasts for leukocytes.
    """
    return _rounded(Fraction(wbc) * leukocytes / (leukocytes + erythroblasts), HUNDREDTHS)


def per_hundred(count: int, total: int) -> Decimal:
    """Return how many there are for each 100 of ``total``, with one decimal."""
    return _rounded(Fraction(100 * count, total), TENTHS)


def mean_count(count: int, of: int) -> Decimal:
    """Return a mean number with one decimal; 0.0 of nothing."""
    return _rounded(Fraction(count, of), TENTHS) if of else Decimal("0.0")


def as_percent(proportion: float) -> Decimal:
    """Return a proportion in [0, 1] as percent with one decimal."""
    return Decimal(repr(100 * proportion)).quantize(TENTHS, ROUND_HALF_UP)


def _rounded(value: Fraction, step: Decimal) -> Decimal:
    """Round half up to a multiple of ``step``; exact, so that no digit is rounded twice."""
    steps = value / Fraction(step)
    whole = (2 * steps.numerator + steps.denominator) // (2 * steps.denominator)
    return Decimal(whole) * step
