"""Tell what is stained in a field from the empty slide: where a cell without a box may lie."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.detection.objects import LEUKOCYTE
from ml.nucleus import empty_colour


def doubt_about(
    pixels: NDArray[np.uint8], boxes: NDArray[np.float32], kinds: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Mark with 255 what is stained and in no box of a uint8[H, W, 3] RGB field; uint8[H, W].

    Haemoglobin takes up green light. Otsu's threshold on the density in green, white cells left
    out as they are denser by far, parts cells from slide.
    """
    green = pixels[..., 1].astype(np.float32) + 1.0
    empty = float(empty_colour(pixels)[1]) + 1.0
    density = (np.log(empty / green) * 200.0).clip(0, 255).astype(np.uint8)
    density = np.asarray(cv2.GaussianBlur(density, (0, 0), 1.5), dtype=np.uint8)
    is_white = _inside(density.shape, boxes[kinds == LEUKOCYTE])
    threshold, _ = cv2.threshold(
        density[~is_white].reshape(1, -1), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU
    )
    is_doubtful = (density > threshold) & ~_inside(density.shape, boxes)
    return is_doubtful.astype(np.uint8) * np.uint8(255)


def _inside(shape: tuple[int, ...], boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    inside = np.zeros(shape, dtype=bool)
    for x0, y0, x1, y1 in boxes.round().astype(int):
        inside[max(0, y0) : y1, max(0, x0) : x1] = True
    return inside
