"""A whole-slide file that is open: what may be known of it, and pixels of any part of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from openslide import (
    PROPERTY_NAME_BACKGROUND_COLOR,
    PROPERTY_NAME_MPP_X,
    PROPERTY_NAME_MPP_Y,
    PROPERTY_NAME_OBJECTIVE_POWER,
    PROPERTY_NAME_VENDOR,
    OpenSlide,
    OpenSlideCache,
    OpenSlideError,
)
from openslide.deepzoom import DeepZoomGenerator
from PIL import Image

from ml.errors import SlideRejected

TILE_SIZE: Final = 254
OVERLAP: Final = 1
"""Of Deep Zoom tiles: with a pixel of overlap on either side they are 256 wide."""

CACHE_BYTES: Final = 64 * 1024**2
"""Decoded tiles kept by one process, of all the slides that it has open."""

_STRIP_PIXELS: Final = 4_000_000
"""Pixels decoded at once, 16 MB with their transparency, which is not kept."""

_BELIEVED_SCALE: Final = (0.02, 10.0)
"""Micrometres a pixel: finer than light resolves, and coarser than shows a cell. A TIFF that was
never scanned says 72 dots an inch, 353 micrometres."""
_SQUARE: Final = 0.05
"""How far width and height of a pixel may differ, as a share."""

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Level:
    """A step of the pyramid; `downsample` is how many pixels of the slide one of its pixels is."""

    width: int
    height: int
    downsample: float


class Slide:
    """An open slide; close it, or use it in a `with`. `ml.slides.opening` makes them.

    Coordinates are pixels of level 0, the finest, from the top left. What the file says of the
    patient is not here: neither its label nor its overview photograph, on which names are read,
    nor any property but those below; user, date and barcode stay in the file. Nor is the picture's
    colour profile: pixels are as stored, like those of every other picture that is read here.

    Threads may share a slide, but not its closing. Processes may not: open it after a fork. After
    SlideRejected it reads nothing more, and has to be closed and opened anew.
    """

    def __init__(self, source: OpenSlide) -> None:
        source.set_cache(_shared_cache())
        properties = source.properties
        self._source = source
        self._background = "#" + properties.get(PROPERTY_NAME_BACKGROUND_COLOR, "ffffff")
        self.tiles = DeepZoomGenerator(source, TILE_SIZE, OVERLAP, limit_bounds=False)
        self.width, self.height = source.dimensions
        self.levels = tuple(
            Level(width, height, downsample)
            for (width, height), downsample in zip(
                source.level_dimensions, source.level_downsamples, strict=True
            )
        )
        self.vendor = properties.get(PROPERTY_NAME_VENDOR, "")
        self.microns_per_pixel = _scale(
            _number(properties.get(PROPERTY_NAME_MPP_X)),
            _number(properties.get(PROPERTY_NAME_MPP_Y)),
        )
        self.objective_power = _number(properties.get(PROPERTY_NAME_OBJECTIVE_POWER))

    def __enter__(self) -> Slide:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._source.close()

    def stored_tile(self, level: int) -> tuple[int, int] | None:
        """Width and height of the tiles in which the file keeps a level, if it says so."""
        sides = [
            _number(self._source.properties.get(f"openslide.level[{level}].tile-{side}"))
            for side in ("width", "height")
        ]
        return None if sides[0] is None or sides[1] is None else (int(sides[0]), int(sides[1]))

    def best_level(self, downsample: float) -> int:
        """The coarsest level that is no coarser than `downsample`."""
        return self._source.get_best_level_for_downsample(downsample)

    def read(self, level: int, left: int, top: int, width: int, height: int) -> NDArray[np.uint8]:
        """Read uint8[height, width, 3] RGB of a level; `left` and `top` are pixels of level 0.

        Where nothing was scanned is the slide's background. Raises SlideRejected if damaged.
        """
        pixels = np.empty((height, width, 3), dtype=np.uint8)
        rows = max(1, _STRIP_PIXELS // width)
        for first in range(0, height, rows):
            strip = pixels[first : first + rows]
            location = (left, top + round(first * self.levels[level].downsample))
            strip[:] = self._read_strip(location, level, (width, strip.shape[0]))
        return pixels

    def read_tile(self, level: int, column: int, row: int) -> Image.Image:
        """Read a Deep Zoom tile; raises ValueError if there is none, SlideRejected if damaged."""
        return _guarded(lambda: self.tiles.get_tile(level, (column, row)))

    def _read_strip(
        self, location: tuple[int, int], level: int, size: tuple[int, int]
    ) -> NDArray[np.uint8]:
        strip = _guarded(lambda: self._source.read_region(location, level, size))
        opaque = Image.new("RGB", size, self._background)
        opaque.paste(strip, mask=strip.getchannel("A"))
        return np.asarray(opaque)


def damaged() -> SlideRejected:
    """The refusal of a file that is a slide but cannot be read."""
    return SlideRejected(
        "damaged", "The slide file is damaged or incomplete. Copy it from the scanner again."
    )


def _guarded(read: Callable[[], _Result]) -> _Result:
    try:
        return read()
    except OpenSlideError as error:
        raise damaged() from error


@cache
def _shared_cache() -> OpenSlideCache:
    return OpenSlideCache(CACHE_BYTES)


def _number(text: str | None) -> float | None:
    """A positive, finite number, or None."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def _scale(across: float | None, down: float | None) -> float | None:
    """Micrometres a pixel, where both directions are told, alike and possible."""
    if across is None or down is None or abs(across / down - 1) > _SQUARE:
        return None
    scale = (across * down) ** 0.5
    return scale if _BELIEVED_SCALE[0] <= scale <= _BELIEVED_SCALE[1] else None
