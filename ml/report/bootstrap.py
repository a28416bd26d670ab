"""Intervals by drawing whole groups again, as cells of one group are not independent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

REPLICATES: Final = 1000
SEED: Final = 20260101


def replicate_weights(
    groups: NDArray[np.int64], *, replicates: int = REPLICATES, seed: int = SEED
) -> Iterator[NDArray[np.float64]]:
    """How often each cell is drawn, float64[N], once a replicate.

    As many groups are drawn as there are, with replacement, each with all of its cells: the
    cluster bootstrap (Field & Welsh, J R Stat Soc B 2007;69:369).
    """
    rng = np.random.default_rng(seed)
    count = int(groups.max()) + 1
    for _ in range(replicates):
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        yield drawn[groups].astype(np.float64)


def interval(values: NDArray[np.float64]) -> list[float] | None:
    """The middle 95 % of the replicates that have a value; None if fewer than half have."""
    found = values[np.isfinite(values)]
    if 2 * len(found) < max(1, len(values)):
        return None
    low, high = np.quantile(found, [0.025, 0.975])
    return [float(low), float(high)]
