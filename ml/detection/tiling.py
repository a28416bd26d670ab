"""Cut a field, at the network's scale, into tiles that overlap; each owns the cells in its core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.detection.candidates import Candidates, lie_within
from ml.preprocessing import normalise

TILE: Final = 512
SMALL_TILE: Final = 256
"""Sides of the views that the network is run on; the small one serves pictures that fit in it."""

MARGIN: Final = 96
"""What a tile sees beyond its core: the half of a white cell, and as much again of its company."""
_SLACK: Final = 4.0
"""How far beyond its core a tile may still own a middle, as two tiles place one a little apart.

What both then own is the same box twice, which `keep_one_each` removes.
"""


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the scaled field; its core is where the middles of its own objects lie."""

    x: int
    y: int
    size: int
    core: tuple[float, float, float, float]

    def whole(self, found: Candidates, width: int, height: int) -> Candidates:
        """Those that neither the tile's edge nor that of a field of this size cuts."""
        right, bottom = min(width, self.x + self.size), min(height, self.y + self.size)
        return found.only(lie_within(found.boxes, self.x + 1, self.y + 1, right - 1, bottom - 1))

    def own(self, found: Candidates) -> Candidates:
        """Of candidates in pixels of the scaled field, those whose middle lies in the core."""
        x0, y0, x1, y1 = self.core
        x, y = found.centres.T
        inside = (x >= x0 - _SLACK) & (x < x1 + _SLACK) & (y >= y0 - _SLACK) & (y < y1 + _SLACK)
        return found.only(inside)


def tiles_over(width: int, height: int) -> list[Tile]:
    """Tiles that cover a scaled field of so many pixels; a small field is one tile."""
    size = SMALL_TILE if max(width, height) <= SMALL_TILE else TILE
    return [
        Tile(x, y, size, (left, top, right, bottom))
        for y, top, bottom in _steps(height, size)
        for x, left, right in _steps(width, size)
    ]


def small_tile(width: int, height: int, across: float, down: float) -> Tile:
    """The small tile round a place given in shares of a scaled field, moved inside it."""
    size = SMALL_TILE
    x, y = (
        int(np.clip(share * extent - size / 2, 0, max(0, extent - size)))
        for share, extent in ((across, width), (down, height))
    )
    return Tile(x, y, size, (x, y, x + size, y + size))


def _steps(extent: int, size: int) -> list[tuple[int, float, float]]:
    """Start of each tile along an axis, and from where to where its core reaches.

    Starts are multiples of 32, so that a network of that stride sees every tile as it sees the
    whole; the first and last cores reach beyond the picture.
    """
    step = size - 2 * MARGIN
    count = 1 + max(0, -(-(extent - size) // step))
    edges = [-np.inf, *(MARGIN + step * number for number in range(1, count)), np.inf]
    return [(step * number, edges[number], edges[number + 1]) for number in range(count)]


class ScaledField:
    """A field at another magnification, of which any part can be had without holding it whole."""

    def __init__(self, pixels: NDArray[np.uint8], factor: float) -> None:
        """`pixels` are uint8[H, W, 3] RGB; a factor below 1 shrinks them."""
        height, width = pixels.shape[:2]
        self.width, self.height = max(1, round(width * factor)), max(1, round(height * factor))
        self._across, self._down = self.width / width, self.height / height
        self._is_whole = factor < 1.0
        if self._is_whole:
            pixels = np.asarray(
                cv2.resize(pixels, (self.width, self.height), interpolation=cv2.INTER_AREA),
                dtype=np.uint8,
            )
        self._pixels = pixels

    def view(self, tile: Tile) -> NDArray[np.float32]:
        """What the network sees: float32[S, S, 3] in [-1, 1], 0 beyond the picture."""
        width, height = min(tile.size, self.width - tile.x), min(tile.size, self.height - tile.y)
        view = np.zeros((tile.size, tile.size, 3), dtype=np.float32)
        view[:height, :width] = normalise(self._part(tile.x, tile.y, width, height))
        return view

    def to_field(self, found: Candidates) -> Candidates:
        """From pixels of the scaled field to pixels of the field."""
        shares = np.array([self._across, self._down] * 2, dtype=np.float32)
        return Candidates(found.boxes / shares, found.kinds, found.scores)

    def _part(self, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        if self._is_whole:
            return self._pixels[y : y + height, x : x + width]
        matrix = np.array(
            [
                [1 / self._across, 0, (x + 0.5) / self._across - 0.5],
                [0, 1 / self._down, (y + 0.5) / self._down - 0.5],
            ]
        )
        part = cv2.warpAffine(
            self._pixels,
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(part, dtype=np.uint8)
