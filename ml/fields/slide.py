"""Part what is stained in a field from the empty slide, under uneven light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL_SIDE: Final = 1280
"""Longer side in pixels, at most, of the copy on which light, stain and cover are measured: enough
for 60 red cells side by side."""

_UNLIT: Final = 0.15
"""Share of the light of the brightest twentieth, in the best channel, below which nothing is lit;
nuclei let a third of blue light through."""
_LIT: Final = 0.995
"""Least lit share of the part that is judged: dust may be black."""
_STEP: Final = 0.96
"""Side of the next smaller part that is tried, over that of the last."""

_TILES: Final = 8
_BRIGHT: Final = 0.95
"""The slide is the brightest twentieth of each of 8 x 8 tiles, where any of it is to be seen."""
_ROUNDS: Final = 6
_BELOW: Final = 0.04
"""Density by which a tile that shows no empty slide lies below the surface through the others."""
_DOUBT: Final = 0.05
"""Weight of such a tile."""

_LEAST_DENSITY: Final = 0.05
_MOST_EMPTY: Final = 0.07
"""Density: half way from the slide to the palest red cells of BCCD."""
_BIN: Final = 0.005
_BINS: Final = 800

_ROUND: Final = 0.6
"""Least of 4 pi area over squared perimeter: pale middles of red cells have it, gaps do not."""
_DISC: Final = 1.25
"""Diameter of red cells over the mean width of all that is stained: median of BCCD's boxes."""
_LEAST_DIAMETER: Final = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Slide:
    """A field of H x W pixels, seen in a copy of h x w."""

    scale: float
    """Pixels of the field that make one of the copy."""
    small: NDArray[np.uint8]
    """[h, w, 3] RGB."""
    density: NDArray[np.float32]
    """[h, w]: Beer-Lambert density in green light, which haemoglobin, eosin and azure all absorb;
    natural logarithm, against the empty slide at the same place."""
    stained: NDArray[np.uint8]
    """[h, w]: 1 in cells, pale middles included, else 0."""
    empty: NDArray[np.bool_]
    """[h, w]: whether the slide is bare. Pixels may be neither."""
    contrast: float
    """Density that one pixel in a hundred exceeds: of chromatin, or of red cells without any."""

    @property
    def covered(self) -> float:
        """Share of the field that cells cover."""
        return float(self.stained.mean())

    @property
    def brightness(self) -> float:
        """Level of the empty slide, 0..255: the mean of the medians of red, green and blue."""
        return float(np.median(self.small[self.empty], axis=0).mean())

    @property
    def red_cell(self) -> float:
        """Diameter of a red cell in pixels of the field, to some 15 %.

        That of discs which have the area and outline of all that is stained: 4 area / perimeter.
        It minds overlaps little, since they take from both. At most half the field's height.
        """
        outlines, _ = cv2.findContours(self.stained, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        length = sum(cv2.arcLength(outline, closed=True) for outline in outlines)
        width = 4.0 * float(self.stained.sum()) / max(length, 1.0)
        most = min(self.stained.shape) / 2
        return self.scale * float(np.clip(_DISC * width, _LEAST_DIAMETER, most))


def see_slide(pixels: NDArray[np.uint8]) -> Slide:
    """Tell cells from slide in a uint8[H, W, 3] RGB field of any size."""
    small = _shrunken(pixels)
    density = _density(small[..., 1])
    counts = np.bincount(
        (density.clip(0, _BIN * (_BINS - 1)) / _BIN).astype(np.int64).ravel(), minlength=_BINS
    )
    threshold = _threshold(counts)
    return Slide(
        scale=pixels.shape[1] / small.shape[1],
        small=small,
        density=density,
        stained=_filled((density > threshold).astype(np.uint8)),
        empty=density < min(threshold / 2, _MOST_EMPTY),
        contrast=_quantile(counts, 0.99),
    )


def lit_part(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of uint8[H, W, 3] without the black round a picture taken through the eyepiece.

    The largest rectangle that is lit, among those in the proportions of all that is lit.
    """
    step = max(1, max(pixels.shape[:2]) // 160)
    light = pixels[::step, ::step].max(axis=2)
    is_lit = light >= _UNLIT * np.quantile(light, _BRIGHT)
    rows, columns = np.flatnonzero(is_lit.any(axis=1)), np.flatnonzero(is_lit.any(axis=0))
    box = np.array([[rows[0], rows[-1] + 1], [columns[0], columns[-1] + 1]], dtype=np.float64)
    while True:
        (top, bottom), (left, right) = box.round().astype(int)
        is_small = min(bottom - top, right - left) < _TILES
        if is_small or is_lit[top:bottom, left:right].mean() >= _LIT:
            break
        middle = box.mean(axis=1, keepdims=True)
        box = middle + (box - middle) * _STEP
    return pixels if is_small else pixels[top * step : bottom * step, left * step : right * step]


def _shrunken(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    factor = SMALL_SIDE / max(height, width)
    if factor >= 1.0:
        return pixels
    size = (max(_TILES, round(width * factor)), max(_TILES, round(height * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _density(green: NDArray[np.uint8]) -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(green, (0, 0), 1.0).astype(np.float32)
    light = np.log(soft + np.float32(1.0))
    return np.asarray(_empty_light(light) - light, dtype=np.float32)


def _empty_light(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """The light of the empty slide all over, float32[h, w], from logarithmic light of a field.

    Lamps are brightest somewhere and fade from there: a polynomial of second degree through the
    brightest of each tile. Once more on what is left, as light fades within a tile too.
    """
    first = _surface(light)
    return np.asarray(first + _surface(light - first), dtype=np.float32)


def _surface(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """The polynomial, refitted with little weight on the tiles that lie below it."""
    height, width = light.shape
    bright = _brightest(light)
    terms = _terms(*np.meshgrid(*[(np.arange(_TILES) + 0.5) / _TILES * 2 - 1] * 2))
    weights = np.ones(len(bright), dtype=np.float32)
    for _ in range(_ROUNDS):
        fit = np.linalg.lstsq(terms * weights[:, None], bright * weights, rcond=None)[0]
        weights = np.where(bright - terms @ fit < -_BELOW, _DOUBT, 1.0).astype(np.float32)
    flat, x, y, xx, yy, xy = fit.astype(np.float32)
    across = np.linspace(-1, 1, width, dtype=np.float32)[np.newaxis]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, np.newaxis]
    return np.asarray((flat + x * across + xx * across**2) + (y + xy * across + yy * down) * down)


def _brightest(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the brightest twentieth of each tile exceeds, float32[64]; every fourth pixel counts."""
    rows, columns = (length // _TILES * _TILES for length in light.shape)
    tiles = light[:rows, :columns].reshape(_TILES, rows // _TILES, _TILES, columns // _TILES)
    parts = tiles[:, ::2, :, ::2].transpose(0, 2, 1, 3).reshape(_TILES * _TILES, -1)
    return np.quantile(parts, _BRIGHT, axis=1).astype(np.float32)


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    terms = (np.ones_like(x), x, y, x * x, y * y, x * y)
    return np.stack([term.ravel() for term in terms], axis=1).astype(np.float32)


def _threshold(counts: NDArray[np.int64]) -> float:
    """Density above which a pixel is stained: half the median of those above it.

    Most stained pixels are of red cells, so nuclei do not raise it as they raise Otsu's.
    """
    threshold = _LEAST_DENSITY
    for _ in range(10):
        above = counts.copy()
        above[: round(threshold / _BIN)] = 0
        found = max(_LEAST_DENSITY, _quantile(above, 0.5) / 2)
        if abs(found - threshold) < _BIN:
            break
        threshold = found
    return threshold


def _quantile(counts: NDArray[np.int64], share: float) -> float:
    """Density that `share` of the counted pixels lie below; 0 of none."""
    totals = np.cumsum(counts)
    if totals[-1] == 0:
        return 0.0
    return float((np.searchsorted(totals, share * totals[-1]) + 0.5) * _BIN)


def _filled(stained: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill the round holes: pale middles of red cells, not the gaps between them."""
    if not stained.any():
        return stained
    outlines, levels = cv2.findContours(stained, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for outline, level in zip(outlines, levels[0], strict=True):
        is_hole = level[3] >= 0
        if is_hole and _is_round(outline):
            cv2.drawContours(stained, [outline], -1, 1, thickness=cv2.FILLED)
    return stained


def _is_round(outline: NDArray[Any]) -> bool:
    area, length = cv2.contourArea(outline), cv2.arcLength(outline, closed=True)
    return bool(4 * np.pi * area >= _ROUND * length**2 or length < 12)
