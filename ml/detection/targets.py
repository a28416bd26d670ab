"""What the network is to answer for a view: a peak and a box at the middle of each object.

Zhou et al., "Objects as Points", arXiv 1904.07850, with the boxes learned in the whole core of a
peak rather than at its top alone (Liu et al., "Training-Time-Friendly Network", AAAI 2020), and a
box of its own for each kind, as platelets lie upon red cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.detection.objects import KINDS, STRIDE

_SPREAD: Final = 0.09
"""Standard deviation of a peak over the box's side: 0.54 / 6 as in Liu et al."""
_LEAST_SPREAD: Final = 0.5
"""In places of the output, for platelets."""
_CORE: Final = 0.35
"""Height of the peak down to which a place learns the box."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Of one view of H x W pixels, or a batch of them with one more axis, h = H/4, w = W/4.

    `heat` float32[h, w, K] is 1 in the middle of each object and falls off like a bell;
    `heat_weights` float32[h, w, K] is 0 where nobody knows; `boxes` float32[h, w, K, 4] are
    x0, y0, x1, y1 in pixels; `box_weights` float32[h, w, K] sum to 1 over each object.
    """

    heat: NDArray[np.float32]
    heat_weights: NDArray[np.float32]
    boxes: NDArray[np.float32]
    box_weights: NDArray[np.float32]


def draw_targets(
    boxes: NDArray[np.float32], kinds: NDArray[np.int64], *, height: int, width: int
) -> Targets:
    """Draw boxes float32[N, 4] of kinds int64[N] of a view; its sides are multiples of STRIDE.

    Every box's middle lies in the view.
    """
    shape = (height // STRIDE, width // STRIDE, len(KINDS))
    targets = Targets(
        heat=np.zeros(shape, np.float32),
        heat_weights=np.ones(shape, np.float32),
        boxes=np.zeros((*shape, 4), np.float32),
        box_weights=np.zeros(shape, np.float32),
    )
    for box, kind in zip(boxes, kinds, strict=True):
        _draw_object(targets, box, int(kind))
    return targets


def _draw_object(targets: Targets, box: NDArray[np.float32], kind: int) -> None:
    height, width, _ = targets.heat.shape
    spread_x, spread_y = np.maximum((box[2:] - box[:2]) / STRIDE * _SPREAD, _LEAST_SPREAD)
    column, row = ((box[:2] + box[2:]) / 2 / STRIDE).astype(int)
    column, row = min(column, width - 1), min(row, height - 1)
    away_x = (np.arange(width) - column) / spread_x
    away_y = (np.arange(height) - row) / spread_y
    bell = np.exp(-0.5 * (away_y[:, None] ** 2 + away_x**2)).astype(np.float32)
    is_core = (bell > _CORE) & (bell > targets.heat[..., kind])
    targets.boxes[is_core, kind] = box
    targets.box_weights[is_core, kind] = bell[is_core] / bell[is_core].sum()
    np.maximum(targets.heat[..., kind], bell, out=targets.heat[..., kind])
