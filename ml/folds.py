"""Decoded pictures with their classes, of one source or mixed from several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.nucleus import Nucleus, find_nucleus
from ml.preprocessing import to_view


@dataclass(frozen=True)
class Fold:
    """Square pictures uint8[N, S, S, 3] RGB and their class indices int64[N].

    `times` float64[N] says how often an epoch shows each picture, on average; once if None.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    times: NDArray[np.float64] | None = None

    @cached_property
    def nuclei(self) -> list[Nucleus | None]:
        """Where each picture's nucleus lies."""
        return [find_nucleus(square) for square in self.pixels]

    @property
    def views_an_epoch(self) -> int:
        """How many views an epoch shows, on average."""
        return len(self.labels) if self.times is None else round(float(self.times.sum()))

    def views(self, size: int) -> NDArray[np.uint8]:
        """What the network sees of each picture in serving: uint8[N, size, size, 3]."""
        return np.stack([to_view(square, size) for square in self.pixels])

    def draw_order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The pictures of one epoch, int64[M], shuffled; chance rounds `times`."""
        numbers = np.arange(len(self.labels))
        if self.times is not None:
            whole = np.floor(self.times + rng.random(len(numbers))).astype(np.int64)
            numbers = np.repeat(numbers, whole)
        return rng.permutation(numbers)


def mix(first: Fold, others: Sequence[tuple[Fold, float]]) -> Fold:
    """Join sources: `first` is shown once an epoch, each other makes up its share of all views.

    Shares sum to less than 1. Within another source, which may be small, each class is shown in
    proportion to the root of its size.
    """
    total = len(first.labels) / (1.0 - sum(share for _, share in others))
    parts = [np.ones(len(first.labels))]
    parts += [_balanced(fold.labels) * share * total for fold, share in others]
    folds = [first, *(fold for fold, _ in others)]
    return Fold(
        pixels=np.concatenate([fold.pixels for fold in folds]),
        labels=np.concatenate([fold.labels for fold in folds]),
        times=np.concatenate(parts),
    )


def _balanced(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shares of the pictures, float64[N], that sum to 1."""
    weights = 1.0 / np.sqrt(np.bincount(labels)[labels])
    return np.asarray(weights / weights.sum(), dtype=np.float64)
