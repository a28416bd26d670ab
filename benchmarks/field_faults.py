"""What may go wrong when a field is photographed, done to good pictures; and what is harmless."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.fields.quality import Code

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, float, float], Pixels]
"""A field, the diameter of its red cells in pixels and the strength, to the changed field."""


def blur(pixels: Pixels, red_cell: float, strength: float) -> Pixels:
    """Gaussian blur, its sigma in diameters of a red cell."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), strength * red_cell), dtype=np.uint8)


def defocus(pixels: Pixels, red_cell: float, strength: float) -> Pixels:
    """The disc that a point becomes out of focus, its radius in diameters of a red cell."""
    radius = strength * red_cell
    side = 2 * int(np.ceil(radius)) + 1
    rows, columns = np.mgrid[:side, :side] - side // 2
    disc = (radius + 0.5 - np.hypot(rows, columns)).clip(0, 1)
    return _filtered(pixels, disc)


def shake(pixels: Pixels, red_cell: float, strength: float) -> Pixels:
    """A stage that moves sideways meanwhile, by so many diameters of a red cell."""
    return _filtered(pixels, np.ones((1, max(1, round(strength * red_cell)))))


def expose(pixels: Pixels, _: float, strength: float) -> Pixels:
    """Levels times the strength."""
    return _as_bytes(pixels * strength)


def bend(pixels: Pixels, _: float, strength: float) -> Pixels:
    """Levels to the power of the strength, black and white kept."""
    return _as_bytes(255 * (pixels / 255.0) ** strength)


def fade(pixels: Pixels, _: float, strength: float) -> Pixels:
    """Optical density over the empty slide times the strength: a weaker stain."""
    return _as_bytes(_empty(pixels) * _transmitted(pixels) ** strength)


def veil(pixels: Pixels, _: float, strength: float) -> Pixels:
    """So much of the light strays: an open condenser, a dirty lens."""
    return _as_bytes(pixels * (1 - strength) + _empty(pixels) * strength)


def pile(pixels: Pixels, _: float, strength: float) -> Pixels:
    """So many layers of cells: of the field, turned, mirrored and shifted."""
    light = _transmitted(pixels)
    total = light
    for layer in range(1, round(strength)):
        shift = (layer * light.shape[0] // 5, layer * light.shape[1] // 3)
        total = total * np.roll(light[:: (-1) ** layer, ::-1], shift, axis=(0, 1))
    return _as_bytes(_empty(pixels) * total)


def shade(pixels: Pixels, _: float, strength: float) -> Pixels:
    """Light that fades towards the corners, where so much of it lacks."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return _as_bytes(pixels * (1 - strength / 2 * (rows**2 + columns**2))[..., np.newaxis])


def speckle(pixels: Pixels, _: float, strength: float) -> Pixels:
    """Noise of the sensor, its deviation in levels."""
    noise = np.random.default_rng(0).normal(0, strength, pixels.shape)
    return _as_bytes(pixels + noise)


def compress(pixels: Pixels, _: float, strength: float) -> Pixels:
    """JPEG of that quality."""
    stored = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, round(strength)])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), dtype=np.uint8)


def resize(pixels: Pixels, _: float, strength: float) -> Pixels:
    """So many times as wide and high."""
    how = cv2.INTER_AREA if strength < 1 else cv2.INTER_CUBIC
    changed = cv2.resize(pixels, None, fx=strength, fy=strength, interpolation=how)
    return np.asarray(changed, dtype=np.uint8)


def shrink_and_enlarge(pixels: Pixels, red_cell: float, strength: float) -> Pixels:
    """Taken with so much fewer pixels, then enlarged to as many again."""
    return resize(resize(pixels, red_cell, 1 / strength), red_cell, strength)


def warm(pixels: Pixels, _: float, strength: float) -> Pixels:
    """A lamp without its blue filter: less blue, and half as much less green."""
    return _as_bytes(pixels * np.array([1.0, 1 - strength / 2, 1 - strength]))


def mask(pixels: Pixels, _: float, strength: float) -> Pixels:
    """Through the eyepiece: black but for a disc, its diameter in heights of the field."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot(rows - height / 2, columns - width / 2)
    return np.asarray(pixels * (away < strength * height / 2)[..., np.newaxis], dtype=np.uint8)


FAULTS: Final[tuple[tuple[Change, Code, tuple[float, ...]], ...]] = (
    (blur, "out_of_focus", (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.12, 0.2, 0.4)),
    (defocus, "out_of_focus", (0.04, 0.06, 0.08, 0.10, 0.12, 0.16, 0.24, 0.4)),
    (shake, "out_of_focus", (0.1, 0.2, 0.3, 0.5)),
    (expose, "too_dark", (0.8, 0.65, 0.5, 0.35, 0.2)),
    (bend, "too_dark", (2.0, 3.0, 4.0)),
    (expose, "too_bright", (1.2, 1.3, 1.4, 1.6, 2.0, 3.0)),
    (fade, "pale_stain", (0.7, 0.6, 0.5, 0.4, 0.3, 0.2)),
    (bend, "pale_stain", (0.5, 0.3)),
    (veil, "pale_stain", (0.3, 0.5, 0.7)),
    (pile, "crowded", (2, 3, 4, 6)),
)
"""Each fault, what should be said of it, and strengths from slight to gross."""

HARMLESS: Final[tuple[tuple[Change, tuple[float, ...]], ...]] = (
    (shade, (0.15, 0.3)),
    (speckle, (2, 4, 8)),
    (compress, (80, 50)),
    (resize, (0.5, 2, 4)),
    (shrink_and_enlarge, (2, 4)),
    (warm, (0.3, 0.6)),
    (mask, (1.2, 1.0)),
)
"""What should bring about no warning, up to where detail is lost."""


def barest_part(pixels: Pixels, stained: NDArray[np.uint8]) -> tuple[Pixels, float]:
    """The quarter by a quarter of a field of which least is stained, and that share."""
    height, width = (length // 4 for length in stained.shape)
    share = np.asarray(cv2.blur(stained.astype(np.float32), (width, height)))
    inner = share[height // 2 : -height // 2, width // 2 : -width // 2]
    row, column = np.unravel_index(int(inner.argmin()), inner.shape)
    return np.ascontiguousarray(pixels[row : row + height, column : column + width]), inner.min()


def _filtered(pixels: Pixels, kernel: NDArray[Any]) -> Pixels:
    even = (kernel / kernel.sum()).astype(np.float32)
    return np.asarray(cv2.filter2D(pixels, -1, even, borderType=cv2.BORDER_REFLECT), dtype=np.uint8)


def _empty(pixels: Pixels) -> NDArray[np.float64]:
    return np.quantile(pixels.reshape(-1, 3), 0.95, axis=0) + 1.0


def _transmitted(pixels: Pixels) -> NDArray[np.float64]:
    return np.asarray((pixels + 1.0) / _empty(pixels))


def _as_bytes(values: NDArray[Any]) -> Pixels:
    return np.asarray(values.round().clip(0, 255), dtype=np.uint8)
