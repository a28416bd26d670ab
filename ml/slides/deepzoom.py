"""Show a slide in OpenSeadragon: its description and its tiles in Microsoft's Deep Zoom format."""

from __future__ import annotations

import io
from typing import Final

from ml.slides.slide import Slide

TILE_FORMAT: Final = "jpeg"
"""Also the ending of a tile's address: `NAME_files/LEVEL/COLUMN_ROW.jpeg` beside `NAME.dzi`."""

_QUALITY: Final = 85
_FULL_COLOUR: Final = "4:4:4"
"""At half the resolution of colour, which scanners' own JPEG often has already, cells would lose
it twice."""


def dzi(slide: Slide) -> str:
    """The slide's description as a Deep Zoom XML document."""
    return slide.tiles.get_dzi(TILE_FORMAT)


def tile(slide: Slide, level: int, column: int, row: int) -> bytes:
    """A tile as JPEG, up to 256 x 256 pixels, without metadata and colour profile.

    Level 0 is the whole slide in one pixel, each further one twice as wide. Decodes at most
    `ml.slides.opening.MAX_DECODED` pixels, however large the slide. Raises ValueError if the slide
    has no such tile, SlideRejected if it is damaged there.
    """
    picture = slide.read_tile(level, column, row)
    buffer = io.BytesIO()
    picture.save(
        buffer, format=TILE_FORMAT, quality=_QUALITY, subsampling=_FULL_COLOUR, icc_profile=None
    )
    return buffer.getvalue()
