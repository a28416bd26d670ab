"""Batches of augmented views, made a step ahead of the network that learns from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ml.augmentation import augment
from ml.folds import Fold
from ml.preprocessing import normalise

_PLATELET_WEIGHT: Final = 0.4
"""Platelets are easily told at home; elsewhere a blurred white cell must not pass for one."""

Piece = TypeVar("Piece")
Made = TypeVar("Made")

Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Views float32[B, S, S, 3], targets float32[B, classes], weights float32[B]."""


def class_weights(fold: Fold, class_names: Sequence[str]) -> NDArray[np.float32]:
    """Weight each class by the root of its rarity, platelets less, with mean 1 over the views."""
    times = np.ones(len(fold.labels)) if fold.times is None else fold.times
    counts = np.bincount(fold.labels, times, minlength=len(class_names)).clip(min=1)
    weights = 1.0 / np.sqrt(counts)
    if "platelet" in class_names:
        weights[list(class_names).index("platelet")] *= _PLATELET_WEIGHT
    mean = float((weights[fold.labels] * times).sum() / times.sum())
    return np.asarray(weights / mean, dtype=np.float32)


def augmented_batches(
    fold: Fold,
    class_names: Sequence[str],
    *,
    sizes: Sequence[int],
    batch_size: int,
    seed: int,
    epoch: int,
) -> Iterator[Batch]:
    """Yield one epoch in the order and views that the seed and epoch decide.

    Batches take the sizes in turn, so that one network learns to read them all.
    """
    order = fold.draw_order(np.random.default_rng([seed, epoch]))
    weights = class_weights(fold, class_names)

    def make(start: int) -> Batch:
        chosen = order[start : start + batch_size]
        size = sizes[start // batch_size % len(sizes)]
        return _make_batch(fold, size, chosen, weights, [seed, epoch, start])

    return one_ahead(make, range(0, len(order), batch_size))


def one_ahead(make: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
    """Make something of each piece, in order, in a thread that is one ahead of who takes it."""
    with ThreadPoolExecutor(1) as pool:
        waiting = None
        for piece in pieces:
            following = pool.submit(make, piece)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def _make_batch(
    fold: Fold,
    size: int,
    chosen: NDArray[np.int64],
    weights: NDArray[np.float32],
    stream: list[int],
) -> Batch:
    rng = np.random.default_rng(stream)
    strangers = rng.integers(len(fold.labels), size=len(chosen))
    views = [
        augment(fold.pixels[index], fold.nuclei[index], fold.pixels[other], size, rng)
        for index, other in zip(chosen, strangers, strict=True)
    ]
    labels = fold.labels[chosen]
    targets = np.eye(len(weights), dtype=np.float32)[labels]
    return normalise(np.stack(views)), targets, weights[labels]
