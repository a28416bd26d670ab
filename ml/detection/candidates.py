"""Boxes with kinds and scores as arrays, and what leaves one box an object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ml.detection.objects import ERYTHROCYTE, PLATELET

_SAME: Final = 0.6
"""Two boxes that share more (intersection over union) are of one object.

Of the 13,481 red cells boxed by hand in BCCD and TXL-PBC 18 overlap a neighbour by more, and 80 by
more than 0.4: cells that touch are far below.
"""


_REACH: Final = 0.36
"""Middles of two such boxes lie at most so far apart, in longest sides: 0.25 along either axis."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Boxes float32[N, 4] as x0, y0, x1, y1 in pixels, kinds int64[N] and scores float32[N]."""

    boxes: NDArray[np.float32]
    kinds: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def centres(self) -> NDArray[np.float32]:
        """The boxes' middles, float32[N, 2] as x, y."""
        return np.asarray((self.boxes[:, :2] + self.boxes[:, 2:]) / 2, dtype=np.float32)

    @property
    def diameters(self) -> NDArray[np.float32]:
        """Root of width times height, float32[N]."""
        return diameters_of(self.boxes)

    def only(self, chosen: NDArray[Any]) -> Candidates:
        """Those that a mask or indices choose."""
        return Candidates(self.boxes[chosen], self.kinds[chosen], self.scores[chosen])

    def moved(self, x: float, y: float) -> Candidates:
        """The same, with the origin of pixels elsewhere."""
        shift = np.array([x, y, x, y], dtype=np.float32)
        return Candidates(self.boxes + shift, self.kinds, self.scores)

    def scaled(self, factor: float) -> Candidates:
        """The same in a picture `factor` times as large."""
        return Candidates(self.boxes * np.float32(factor), self.kinds, self.scores)


def diameters_of(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Root of width times height, float32[N], of boxes float32[N, 4]."""
    sides = (boxes[:, 2:] - boxes[:, :2]).clip(min=0)
    return np.asarray(np.sqrt(sides.prod(axis=1)), dtype=np.float32)


def lie_within(
    boxes: NDArray[np.float32], x0: float, y0: float, x1: float, y1: float
) -> NDArray[np.bool_]:
    """Which of boxes float32[N, 4] lie wholly inside a rectangle: bool[N]."""
    return np.asarray((boxes[:, :2] > [x0, y0]).all(axis=1) & (boxes[:, 2:] < [x1, y1]).all(axis=1))


def join(parts: Sequence[Candidates]) -> Candidates:
    """All of several; an empty sequence gives none."""
    if not parts:
        none = np.empty(0, np.float32)
        return Candidates(none.reshape(0, 4), none.astype(np.int64), none)
    return Candidates(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def overlaps(ones: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of boxes float32[..., 4] with others, broadcast against them."""
    low, high = (
        np.maximum(ones[..., :2], others[..., :2]),
        np.minimum(ones[..., 2:], others[..., 2:]),
    )
    shared = (high - low).clip(min=0).prod(axis=-1)
    together = _areas(ones) + _areas(others) - shared
    return np.asarray(shared / together.clip(min=1e-6), dtype=np.float32)


def keep_one_each(found: Candidates) -> Candidates:
    """Keep the surest of boxes that are of one object, most confident first.

    A platelet upon a red cell is another object; a cell taken for a red and for a white one is not.
    """
    found = found.only(np.argsort(-found.scores, kind="stable"))
    if len(found) == 0:
        return found
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    near = cKDTree(found.centres).query_pairs(_REACH * float(sides.max()), output_type="ndarray")
    surer, other = near[np.lexsort(near.T[::-1])].T
    is_one = overlaps(found.boxes[surer], found.boxes[other]) > _SAME
    is_one &= _may_be_one(found.kinds[surer], found.kinds[other])
    is_left = np.ones(len(found), dtype=bool)
    for winner, loser in zip(surer[is_one], other[is_one], strict=True):
        if is_left[winner]:
            is_left[loser] = False
    return found.only(is_left)


def _may_be_one(kinds: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether one object may have been taken for both kinds: not for a platelet and a red cell."""
    both = np.sort(np.stack([kinds, others]), axis=0)
    return np.asarray((both[0] != ERYTHROCYTE) | (both[1] != PLATELET))


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1), dtype=np.float32)
