"""Whether what comes in has become different from what came in before: pure functions."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Reals = NDArray[np.float64]

BINS: Final = 10
LEAST: Final = 50
"""Values on each side below which nothing is said."""

NOTEWORTHY: Final = 0.10
SHIFTED: Final = 0.25
"""Customary limits of the PSI (Siddiqi, Credit Risk Scorecards, 2006): below the first nothing
changed, above the second the population did. They are customs, not laws of the clinic."""

CHANCE: Final = 0.001
PERMUTATIONS: Final = 400
MOST_VECTORS: Final = 250
"""Embeddings on each side of a comparison; its cost grows with the square."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a sample lies from its reference, and how far chance alone would take it.

    `value` is a PSI, or an MMD squared; `limit` what it must exceed to be called a shift.
    """

    value: float
    limit: float
    count: int

    @property
    def is_shift(self) -> bool:
        """Whether it is more than customs and chance allow."""
        return self.value > self.limit


def population_stability(reference: Reals, sample: Reals) -> Shift | None:
    """Return the population stability index of a sample; None where either is too small.

    Sum over bins of (p - q) ln(p / q), the bins being the reference's tenths; half a value is
    added to each bin. Under no change the PSI times nm/(n+m) is about chi-squared with one degree
    less than there are bins (Yurdakul and Naranjo, J Risk Model Validation 14:89, 2020): the limit
    is the larger of 0.25 and that distribution's 99.9th centile.
    """
    if min(len(reference), len(sample)) < LEAST:
        return None
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = len(edges) + 1
    shares = []
    for values in (reference, sample):
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=bins) + 0.5
        shares.append(counts / counts.sum())
    first, second = shares
    value = float(np.sum((second - first) * np.log(second / first)))
    spread = 1 / len(reference) + 1 / len(sample)
    by_chance = float(chi2.ppf(1 - CHANCE, max(bins - 1, 1))) * spread
    return Shift(value, max(SHIFTED, by_chance), len(sample))


def mean_discrepancy(reference: Reals, sample: Reals, *, seed: int = 0) -> Shift | None:
    """Return the squared maximum mean discrepancy of two sets of vectors, float[N, D] and [M, D].

    The unbiased estimate with a Gaussian kernel whose width is the median distance (Gretton et
    al., J Mach Learn Res 13:723, 2012). The limit is the largest of 400 values of which each comes
    from dealing the same vectors out anew, so that chance alone exceeds it about once in 400.
    None where either side is too small.
    """
    if min(len(reference), len(sample)) < LEAST:
        return None
    chance = np.random.default_rng(seed)
    first, second = _some(reference, chance), _some(sample, chance)
    kernel = _kernel(np.concatenate([first, second]))
    sides = np.zeros((PERMUTATIONS + 1, len(kernel)))
    sides[:, : len(first)] = 1
    sides[1:] = chance.permuted(sides[1:], axis=1)
    value, *dealt = _discrepancies(kernel, sides)
    return Shift(float(value), float(max(dealt)), len(sample))


def _some(vectors: Reals, chance: np.random.Generator) -> Reals:
    if len(vectors) <= MOST_VECTORS:
        return vectors
    return vectors[chance.choice(len(vectors), MOST_VECTORS, replace=False)]


def _kernel(vectors: Reals) -> Reals:
    """Gaussian kernel of all pairs, zero on the diagonal."""
    lengths = (vectors**2).sum(axis=1)
    squared = np.maximum(lengths[:, None] + lengths[None, :] - 2 * vectors @ vectors.T, 0)
    width = float(np.median(squared[np.triu_indices(len(vectors), 1)])) or 1.0
    kernel = np.exp(-squared / width)
    np.fill_diagonal(kernel, 0)
    return kernel


def _discrepancies(kernel: Reals, sides: Reals) -> Reals:
    """Return MMD² for each row of `sides`, which is 1 for vectors of the first set, else 0."""
    first = sides[0].sum()
    second = len(kernel) - first
    seen = sides @ kernel
    within = (seen * sides).sum(axis=1)
    across = (seen * (1 - sides)).sum(axis=1)
    beyond = kernel.sum() - within - 2 * across
    return np.asarray(
        within / (first * (first - 1))
        + beyond / (second * (second - 1))
        - 2 * across / (first * second)
    )
