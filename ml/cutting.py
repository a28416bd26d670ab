"""Cut a cell out of its field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.preprocessing import background_colour
from ml.types import BoundingBox

_MARGIN: Final = 1.7
"""Side of the square that is cut round a white cell, over the longer side of its box.

Between 1.3, where a box drawn too small cuts the cell, and the 2.2 of the frames that the
classifier learned, where more of the neighbours shows; all three read alike (docs/models.md).
"""


def cut_cells(pixels: NDArray[np.uint8], boxes: Sequence[BoundingBox]) -> list[NDArray[np.uint8]]:
    """Cut a square round each white cell, as the classifier is to see it; uint8[S, S, 3] each."""
    return [cut_cell(pixels, box, margin=_MARGIN) for box in boxes]


def cut_cell(pixels: NDArray[np.uint8], box: BoundingBox, *, margin: float) -> NDArray[np.uint8]:
    """Cut a square of `margin` times the box's longer side round its centre.

    What lies outside the field is filled with the field's background colour.
    """
    left, top, side = cell_square(box, margin=margin)
    height, width = pixels.shape[:2]
    inside = pixels[max(0, top) : top + side, max(0, left) : left + side]
    rims = (
        max(0, -top),
        max(0, top + side - height),
        max(0, -left),
        max(0, left + side - width),
    )
    if not any(rims):
        return inside
    colour = [int(value) for value in background_colour(pixels)]
    return np.asarray(
        cv2.copyMakeBorder(inside, *rims, cv2.BORDER_CONSTANT, value=colour), dtype=np.uint8
    )


def cell_square(box: BoundingBox, *, margin: float = _MARGIN) -> tuple[int, int, int]:
    """Left, top and side of the square that is cut round a box; it may reach beyond the field."""
    side = max(1, round(margin * max(box.width, box.height)))
    return round((box.x0 + box.x1 - side) / 2), round((box.y0 + box.y1 - side) / 2), side
