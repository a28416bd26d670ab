"""Open a whole-slide file, or say why it is none that can be read safely."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from openslide import OpenSlide, OpenSlideError, OpenSlideUnsupportedFormatError
from PIL.TiffImagePlugin import TILEWIDTH, TiffImageFile

from ml.errors import SlideRejected
from ml.slides.slide import TILE_SIZE, Slide, damaged

MAX_SIDE: Final = 1_000_000
MAX_PIXELS: Final = 200_000_000_000
"""A whole slide of 76 x 26 mm at 0.1 micrometres a pixel, as of an objective of 100, is 760,000 x
260,000 pixels."""

MIN_SIDE: Final = 1024
"""Below it the file is a picture of one field, however it is stored."""

MAX_DECODED: Final = 4096 * 4096
"""Most pixels that one tile may cost to read: 67 MB, as they are decoded with transparency."""

_HEAD: Final = 132
_TIFF: Final = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_DICOM: Final = b"DICM"
_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"RIFF")


def open_slide(path: Path) -> Slide:
    """Open an SVS, NDPI, tiled TIFF or DICOM slide; told by content, not by name.

    Formats whose one file names others, such as VMS and MIRAX, are refused: those could be any
    files of this machine. A DICOM slide is the whole series, a file a level: OpenSlide looks for
    the others in the folder of the one that is named, so give each slide a folder of its own.

    Raises SlideRejected, and OSError where the file cannot be got at.
    """
    _check_kind(path)
    try:
        source = OpenSlide(path)
    except OpenSlideUnsupportedFormatError as error:
        raise _unknown(path) from error
    except OpenSlideError as error:
        raise damaged() from error
    slide = Slide(source)
    try:
        _check_size(slide)
        _check_levels(slide)
        _try_reading(slide)
    except SlideRejected:
        slide.close()
        raise
    return slide


def _check_kind(path: Path) -> None:
    """Refuse by its first bytes what is neither TIFF nor DICOM, before OpenSlide sees it."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise SlideRejected("empty", "The file is empty.")
    if head.startswith(_TIFF) or head[128:] == _DICOM:
        return
    if head.startswith(_PICTURES):
        raise _ordinary()
    raise SlideRejected(
        "not_a_slide", "This is not a slide file. Use SVS, NDPI, tiled TIFF or DICOM."
    )


def _unknown(path: Path) -> SlideRejected:
    """Why OpenSlide does not know a TIFF or DICOM file."""
    with path.open("rb") as file:
        if not file.read(_HEAD).startswith(_TIFF):
            return SlideRejected("not_a_slide", "This DICOM file is not of a whole slide.")
    try:
        with warnings.catch_warnings(action="error"), TiffImageFile(path) as picture:
            return damaged() if TILEWIDTH in picture.tag_v2 else _ordinary()
    except (SyntaxError, OSError, ValueError, Warning):
        return damaged()


def _ordinary() -> SlideRejected:
    return SlideRejected(
        "not_a_pyramid",
        "This is an ordinary picture, not a slide. Add it to the case as an image of a field.",
    )


def _check_size(slide: Slide) -> None:
    size = f"{slide.width} x {slide.height} pixels"
    if max(slide.width, slide.height) > MAX_SIDE or slide.width * slide.height > MAX_PIXELS:
        raise SlideRejected("too_large", f"The slide is said to be {size}, which none can be.")
    if min(slide.width, slide.height) < MIN_SIDE:
        raise SlideRejected(
            "too_small", f"With {size} this is one field. Add it to the case as an image."
        )


def _check_levels(slide: Slide) -> None:
    """Refuse what could only be shown by decoding too much of it at once."""
    for level in range(len(slide.levels)):
        stored = slide.stored_tile(level)
        if stored is not None and stored[0] * stored[1] > MAX_DECODED:
            raise SlideRejected(
                "too_large_tiles",
                f"The slide is stored in parts of {stored[0]} x {stored[1]} pixels, too large to"
                " read. Export it again with tiles of 256 or 512 pixels.",
            )
    worst = max(_cost_of_tile(slide, level) for level in range(slide.tiles.level_count))
    if worst > MAX_DECODED:
        raise SlideRejected(
            "too_few_levels",
            "The slide lacks its smaller levels, so that an overview would take too much memory."
            " Export it again as a pyramid; of a DICOM slide, add all files of the series.",
        )


def _cost_of_tile(slide: Slide, level: int) -> int:
    """Pixels of the file that a Deep Zoom tile of this level is made of."""
    _, _, (width, height) = slide.tiles.get_tile_coordinates(level, (0, 0))
    return width * height


def _try_reading(slide: Slide) -> None:
    """Read the smallest level, and of the largest the middle and the far corner: SlideRejected.

    A file that was copied in part opens like any other, since the list of its parts came through.
    """
    slide.read_tile(0, 0, 0)
    for share in (0.5, 1.0):
        left = round(share * (slide.width - TILE_SIZE))
        top = round(share * (slide.height - TILE_SIZE))
        slide.read(0, left, top, TILE_SIZE, TILE_SIZE)
