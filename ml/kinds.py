"""Guess whether an image shows one cell or a whole field of a smear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Kind = Literal["cell", "field"]

_SIDE: Final = 256
"""Shorter side at which images are looked at, pixels; thresholds below are shares of it."""

# Chosen on PBC crops and on BCCD fields, whole, cut square and tiled; see docs/models.md.
_SMALL: Final = 200
_SMALL_SQUARE: Final = 400
_WIDE: Final = 1.2
_CENTRE_RADIUS: Final = 0.28
_CENTRED: Final = 0.42
_TOO_LONG: Final = 4.0
_FILLING: Final = 0.10
_FILLING_WIDE: Final = 0.20
"""A camera's picture may hold one white cell of a seventh of its area; so does no cut-out."""
_FINE_OBJECTS: Final = 0.085
_SMALL_NUCLEUS: Final = 0.02
_HAEMOGLOBIN: Final = np.float32(0.7)


@dataclass(frozen=True, slots=True)
class Layout:
    """What the guess is made from; areas are shares of the shorter side squared."""

    aspect: float
    """Longer over shorter side."""
    longer_side: int
    centred: float
    """Share of the nucleus-coloured area that lies near the centre; 1.0 if there is none."""
    largest: float
    """Area of the largest nucleus-coloured patch."""
    object_size: float
    """Typical diameter of stained things, as four times area over outline."""


def guess_kind(pixels: NDArray[np.uint8]) -> Kind:
    """Tell a cut-out cell from a field by shape and by where its nuclei lie; uint8[H, W, 3] RGB."""
    height, width = pixels.shape[:2]
    if max(height, width) > _TOO_LONG * min(height, width):
        return "field"  # a strip, which could not be measured in little memory either
    return judge(measure(pixels))


def judge(layout: Layout) -> Kind:
    """A cut-out is nearly square, with its nucleus in the middle; a field is wide or scattered."""
    is_wide = layout.aspect >= _WIDE
    filling = _FILLING_WIDE if is_wide else _FILLING
    if layout.longer_side <= _SMALL or layout.largest >= filling * layout.aspect:
        return "cell"
    if is_wide:
        return "field"
    if layout.longer_side <= _SMALL_SQUARE:
        return "cell"  # no camera makes fields so small
    if layout.object_size < _FINE_OBJECTS and layout.largest < _SMALL_NUCLEUS:
        return "field"
    return "cell" if layout.centred >= _CENTRED else "field"


def measure(pixels: NDArray[np.uint8]) -> Layout:
    """Find what is stained, and what is stained like a nucleus, in a small copy of the image."""
    height, width = pixels.shape[:2]
    density = _optical_density(_shrink(pixels))
    nuclei = _nuclei(density)
    _, _, statistics, _ = cv2.connectedComponentsWithStats(nuclei)
    largest = int(statistics[1:, cv2.CC_STAT_AREA].max(initial=0))
    return Layout(
        aspect=max(height, width) / min(height, width),
        longer_side=max(height, width),
        centred=_share_near_centre(nuclei),
        largest=largest / _SIDE**2,
        object_size=_object_size(density),
    )


def _shrink(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = _SIDE / min(height, width)
    size = (max(_SIDE, round(width * scale)), max(_SIDE, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=method), dtype=np.uint8)


def _optical_density(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Density over the background, per channel (Beer-Lambert); the background has none."""
    brightness = small.sum(axis=2, dtype=np.int32)
    bright = small[brightness >= np.percentile(brightness, 85)]
    background = np.median(bright, axis=0).astype(np.float32) + 1.0
    density = np.log(background / (small.astype(np.float32) + 1.0)).clip(0.0)
    return np.asarray(density, dtype=np.float32)


def _nuclei(density: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Mark nuclei and platelets: azure absorbs red light; haemoglobin and eosin absorb blue."""
    azure = (density[..., 0] - _HAEMOGLOBIN * density[..., 2]).clip(0.0)
    smooth = cv2.GaussianBlur(azure, (0, 0), 1.5)
    scaled = (smooth / max(float(smooth.max()), 0.3) * 255.0).astype(np.uint8)
    threshold, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return (scaled > max(threshold, 100.0)).astype(np.uint8)


def _share_near_centre(nuclei: NDArray[np.uint8]) -> float:
    total = int(nuclei.sum())
    if total == 0:
        return 1.0
    rows, columns = np.ogrid[: nuclei.shape[0], : nuclei.shape[1]]
    away = np.hypot(rows - nuclei.shape[0] / 2, columns - nuclei.shape[1] / 2)
    return float(nuclei[away < _CENTRE_RADIUS * _SIDE].sum()) / total


def _object_size(density: NDArray[np.float32]) -> float:
    stained = (density.sum(axis=2) > 0.25).astype(np.uint8)
    outline = cv2.morphologyEx(stained, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return 4.0 * float(stained.sum()) / max(1.0, float(outline.sum()) / 2.0) / _SIDE
