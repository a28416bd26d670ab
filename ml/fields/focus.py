"""How far the outlines of cells are blurred, in diameters of a red cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.fields.slide import Slide

_RED_CELL: Final = 64.0
"""Diameter in pixels that red cells are brought to: then every field is measured at one scale."""
_FINE: Final = 0.02
_COARSE: Final = 0.06
"""Sigmas in diameters of a red cell, 0.15 and 0.45 micrometres: below what a lens of aperture 1.25
resolves, and three times that."""

_NEAR: Final = 4
"""Pixels that a point of an outline may lie from where the stained area ends."""
_WEAK: Final = 0.25
"""Least gradient of an outline, over that which a twentieth of all exceed."""
_FEWEST: Final = 10
"""Points of outlines, below which all are taken for blurred away."""
_MOST: Final = 0.12
"""Largest blur told: beyond it the two gradients hardly differ."""

_MOST_PIXELS: Final = 500_000
_WINDOWS: Final = 3
_WINDOW: Final = 224
"""A larger field is measured in 3 x 3 windows of 224 pixels, 3.5 red cells, evenly over it."""

_Window = tuple[NDArray[np.float32], NDArray[np.uint8]]
"""Density, and what of it is stained."""


def edge_blur(pixels: NDArray[np.uint8], slide: Slide, red_cell: float) -> float:
    """Sigma of the blur of the cells' outlines, in diameters of a red cell; 0..0.12.

    An edge that is blurred by s already, blurred again by f and by c, has gradients whose ratio is
    the root of (s^2 + c^2) / (s^2 + f^2), whatever its contrast (Zhuo & Sim, Pattern Recognition
    2011;44:1852). The median over outlines: what lies on a cell, and is sharp, does not count.
    """
    ratios = [_ratios(*window) for window in _windows(pixels, slide, _RED_CELL / red_cell)]
    every = np.concatenate(ratios)
    if len(every) < _FEWEST:
        return _MOST
    squared = max(float(np.median(every)) ** 2, 1.0 + 1e-6)
    blur = (_COARSE**2 - squared * _FINE**2) / (squared - 1.0)
    return float(np.sqrt(np.clip(blur, 0.0, _MOST**2)))


def _windows(pixels: NDArray[np.uint8], slide: Slide, factor: float) -> Iterator[_Window]:
    """The field, or windows of it, enlarged by `factor`."""
    height, width = pixels.shape[:2]
    if height * width * factor**2 <= _MOST_PIXELS:
        yield _window(pixels, slide, factor, (0, 0, width, height))
        return
    wide, high = min(width, round(_WINDOW / factor)), min(height, round(_WINDOW / factor))
    for row in range(_WINDOWS):
        for column in range(_WINDOWS):
            x = round((width - wide) * (column + 0.5) / _WINDOWS)
            y = round((height - high) * (row + 0.5) / _WINDOWS)
            yield _window(pixels, slide, factor, (x, y, x + wide, y + high))


def _window(
    pixels: NDArray[np.uint8], slide: Slide, factor: float, box: tuple[int, int, int, int]
) -> _Window:
    x0, y0, x1, y1 = box
    size = (max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor)))
    green = np.ascontiguousarray(pixels[y0:y1, x0:x1, 1])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    light = cv2.resize(green, size, interpolation=how).astype(np.float32) + np.float32(1.0)
    left, top, right, bottom = (round(each / slide.scale) for each in box)
    stained = slide.stained[top : max(bottom, top + 1), left : max(right, left + 1)]
    return (
        np.asarray(-np.log(light), dtype=np.float32),
        np.asarray(cv2.resize(stained, size, interpolation=cv2.INTER_NEAREST), dtype=np.uint8),
    )


def _ratios(density: NDArray[np.float32], stained: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Fine over coarse gradient, at each point of an outline where the coarse one is greatest."""
    reach = np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8)
    outline = cv2.dilate(stained, reach) > cv2.erode(stained, reach)
    if not outline.any():
        return np.empty(0, dtype=np.float32)
    fine, coarse = (_gradient(density, sigma * _RED_CELL) for sigma in (_FINE, _COARSE))
    is_crest = coarse >= np.asarray(cv2.dilate(coarse, np.ones((5, 5), np.uint8)))
    is_strong = coarse > max(_WEAK * float(np.quantile(coarse[outline], 0.95)), 1e-4)
    chosen = outline & is_crest & is_strong
    # the crest of the finer gradient may lie a few pixels away
    finest = np.asarray(cv2.dilate(fine, np.ones((7, 7), np.uint8)))
    return np.asarray(finest[chosen] / coarse[chosen], dtype=np.float32)


def _gradient(density: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(density, (0, 0), sigma)
    across = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.magnitude(across, down), dtype=np.float32)
