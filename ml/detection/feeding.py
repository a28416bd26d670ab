"""Batches of random views of fields, made one ahead of the network that learns from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ml.detection.losses import pack_heat, pack_shapes
from ml.detection.network import HEAT, SHAPES
from ml.detection.views import LoadedField, make_view
from ml.feeding import one_ahead

Batch = tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]
"""Views float32[B, S, S, 3], and the truth that each output's loss takes."""


def view_batches(
    fields: Sequence[LoadedField], *, size: int, batch_size: int, seed: int, epoch: int
) -> Iterator[Batch]:
    """Yield one view of each field, in the order and guise that the seed and epoch decide."""
    order = np.random.default_rng([seed, epoch]).permutation(len(fields))

    def make(start: int) -> Batch:
        rng = np.random.default_rng([seed, epoch, start])
        chosen = order[start : start + batch_size]
        views, targets = zip(*(make_view(fields[i], size, rng) for i in chosen), strict=True)
        truth = {
            HEAT: np.stack([pack_heat(each) for each in targets]),
            SHAPES: np.stack([pack_shapes(each) for each in targets]),
        }
        return np.stack(views), truth

    return one_ahead(make, range(0, len(order), batch_size))
