"""Tell by a patch of a smear whether red cells lie side by side in it, none on another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SCALE: Final = 0.25
"""Micrometres a pixel at which patches are looked at: a red cell is 30 px across."""

COVERAGE: Final = (0.20, 0.40, 0.75, 0.88)
"""Share of a field that cells cover: too little, good from, good to, too much.

Of the fields that laboratories chose, the middle 90 % have 0.27 to 0.49 in BCCD, 0.56 to 0.85 in
BCDD (`python -m benchmarks.monolayer`).
"""

MOST_OVERLAP: Final = 0.25
MOST_UNEVEN: Final = 0.25
"""What 99 and 95 % of BCCD's fields stay below, though theirs are a third as wide as a patch."""

SHARP: Final = 1.0
"""Blur of a sharp patch at most: the medians of the same fields are 1.00 and 1.05."""
BLUR: Final = (0.2, 0.5)
"""How much blurrier than sharp is as good, and how much is refused: of the same fields seven in ten
that a Gaussian of 0.4 micrometres blurred, and all that one of 0.75 did."""

_LEAST_DENSITY: Final = 0.06
_MOST_DENSITY: Final = 0.20
"""What is stained is told by Otsu's threshold, in optical density of green light, within these:
without empty slide, or without cells, Otsu would part cells, or grains of noise."""

_PALLOR: Final = 10.0
"""Holes up to so many square micrometres are the pale middle of a cell, 44 of them large."""
_DENSE: Final = 1.7
"""Times the median density of what is stained, from which on cells lie on each other."""
_PARTS: Final = (3, 4)
"""Rows and columns of parts whose coverage should be alike."""
_STEPS: Final = 200.0
_SMOOTH: Final = 0.4
_FINE: Final = 0.25
"""Sigmas in micrometres: against noise, and of the finest detail that focus is told by."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one patch shows.

    `coverage` and `overlap` are shares of the patch that is stained, and of the stained that is
    twice as dense as the rest; `unevenness` is the standard deviation of coverage among its parts;
    `blur` is `ml.quality`'s measure at the scale of a red cell's edge.
    """

    coverage: float
    overlap: float
    unevenness: float
    blur: float


@dataclass(frozen=True, slots=True)
class Merits:
    """How good a patch is in each respect, 0 where it is to be refused, to 1."""

    coverage: float
    overlap: float
    evenness: float
    sharpness: float

    @property
    def goodness(self) -> float:
        """A patch is as good as its worst respect."""
        return min(self.coverage, self.overlap, self.evenness, self.sharpness)


def look_at(pixels: NDArray[np.uint8], empty: float, microns_per_pixel: float) -> Look:
    """Measure a patch uint8[H, W, 3] RGB; `empty` is the green, 0..255, of the empty slide."""
    density = _green_density(pixels, empty)
    smooth = np.asarray(
        cv2.GaussianBlur(density, (0, 0), _SMOOTH / microns_per_pixel), dtype=np.float32
    )
    stained = _fill_pallor(smooth > _threshold(smooth), microns_per_pixel)
    return Look(
        coverage=float(stained.mean()),
        overlap=_overlap(smooth, stained),
        unevenness=_unevenness(stained),
        blur=_blur(density, microns_per_pixel),
    )


def merits_of(look: Look, *, sharp: float) -> Merits:
    """Judge a look; `sharp` is the blur of the sharp patches of the same slide."""
    return Merits(
        coverage=float(coverage_merit(np.float64(look.coverage))),
        overlap=_share_left(look.overlap, MOST_OVERLAP),
        evenness=_share_left(look.unevenness, MOST_UNEVEN),
        sharpness=float(np.interp(look.blur - sharp, BLUR, (1.0, 0.0))),
    )


def coverage_merit(coverage: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """1 where coverage is good, falling to 0 where too little or too much is covered."""
    return np.asarray(np.interp(coverage, COVERAGE, (0.0, 1.0, 1.0, 0.0)), dtype=np.float64)


def _share_left(value: float, most: float) -> float:
    return float(np.clip(1.0 - value / most, 0.0, 1.0))


def _green_density(pixels: NDArray[np.uint8], empty: float) -> NDArray[np.float32]:
    """Optical density of green light, which haemoglobin and eosin take up; float32[H, W]."""
    green = pixels[..., 1].astype(np.float32) + np.float32(1.0)
    return np.asarray(np.log(np.float32(empty + 1.0) / green), dtype=np.float32)


def _threshold(density: NDArray[np.float32]) -> float:
    levels = (density * _STEPS).clip(0, 255).astype(np.uint8)
    otsu, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(np.clip(otsu / _STEPS, _LEAST_DENSITY, _MOST_DENSITY))


def _fill_pallor(stained: NDArray[np.bool_], microns_per_pixel: float) -> NDArray[np.bool_]:
    gaps = (~stained).view(np.uint8)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(gaps, connectivity=4)
    small = statistics[:, cv2.CC_STAT_AREA] * microns_per_pixel**2 < _PALLOR
    return np.asarray(stained | small[labels], dtype=np.bool_)


def _overlap(density: NDArray[np.float32], stained: NDArray[np.bool_]) -> float:
    if not stained.any():
        return 0.0
    inside = density[stained]
    return float((inside > _DENSE * np.median(inside)).mean())


def _unevenness(stained: NDArray[np.bool_]) -> float:
    rows, columns = _PARTS
    parts = [
        part.mean()
        for strip in np.array_split(stained, rows, axis=0)
        for part in np.array_split(strip, columns, axis=1)
    ]
    return float(np.std(parts))


def _blur(density: NDArray[np.float32], microns_per_pixel: float) -> float:
    """Minus the logarithm of the energy of fine detail over that of detail twice as coarse.

    Of the blurriest quarter: in a patch that is blurred in part the sharp cells tell the energies.
    Energies of filtered images measure focus: Subbarao & Tyan, IEEE TPAMI 1998;20:864.
    """
    fine, medium, coarse = (
        np.asarray(cv2.GaussianBlur(density, (0, 0), sigma / microns_per_pixel), dtype=np.float32)
        for sigma in (_FINE, 2 * _FINE, 4 * _FINE)
    )
    detail, shape = (_in_quarters(np.square(band)) for band in (fine - medium, medium - coarse))
    return float(np.log((shape + 1e-7) / (detail + 1e-7)).max())


def _in_quarters(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of the four quarters of a picture, float32[2, 2]."""
    return np.asarray(cv2.resize(values, (2, 2), interpolation=cv2.INTER_AREA), dtype=np.float32)
