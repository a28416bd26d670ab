"""Where a place of the network's view lies in the picture that it was cut from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.framing import WHOLE, view_matrix
from ml.nucleus import find_nucleus
from ml.preprocessing import CANVAS, fit_square

_RIM = 0.5 + 1e-6
"""A pixel reaches half a pixel beyond its centre."""


def image_to_view(pixels: NDArray[np.uint8], size: int) -> NDArray[np.float64]:
    """Affine map float64[2, 3] from pixels of the upright picture to pixels of the view.

    The one place that has to know how `ml.preprocessing.to_view` cuts. Pixel centres are whole.
    """
    height, width = pixels.shape[:2]
    canvas = fit_square(pixels, CANVAS)
    cut = view_matrix(CANVAS, find_nucleus(canvas) or WHOLE, size)
    return _chain(_letterbox_matrix(height, width, CANVAS), cut)


def to_image(
    plane: NDArray[np.float32], matrix: NDArray[np.float64], height: int, width: int
) -> NDArray[np.float32]:
    """Lay float32[size, size] of the view on the picture, float32[height, width].

    0 where the picture lies outside the view, as the network saw nothing of it.
    """
    laid = cv2.warpAffine(
        plane,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.where(is_seen(matrix, plane.shape[0], height, width), laid, np.float32(0.0))


def is_seen(matrix: NDArray[np.float64], size: int, height: int, width: int) -> NDArray[np.bool_]:
    """Which pixels of the picture the view holds, bool[height, width]."""
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    x = matrix[0, 0] * columns + matrix[0, 1] * rows + matrix[0, 2]
    y = matrix[1, 0] * columns + matrix[1, 1] * rows + matrix[1, 2]
    inside = (np.minimum(x, y) >= -_RIM) & (np.maximum(x, y) <= size - 1 + _RIM)
    return np.asarray(inside, dtype=np.bool_)


def _letterbox_matrix(height: int, width: int, size: int) -> NDArray[np.float64]:
    """The map of `fit_square`: resized about pixel corners, then moved by whole pixels."""
    scale = size / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size - new_width) // 2, (size - new_height) // 2
    across, down = new_width / width, new_height / height
    return np.array([[across, 0.0, 0.5 * across - 0.5 + left], [0.0, down, 0.5 * down - 0.5 + top]])


def _chain(first: NDArray[np.float64], then: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(then @ np.vstack([first, [0.0, 0.0, 1.0]]), dtype=np.float64)
