"""Read a region of a slide as a picture, as sharp as it was scanned or smaller."""

from __future__ import annotations

from math import ceil
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.errors import SlideRejected
from ml.slides.slide import Slide
from ml.types import BoundingBox

MAX_REGION: Final = 64_000_000
"""Most pixels of the file that are read for one region: 192 MB of colour."""


def read_region(slide: Slide, box: BoundingBox, *, downsample: float = 1.0) -> NDArray[np.uint8]:
    """Read the part of a slide in `box`, pixels of level 0, as uint8[H, W, 3] RGB.

    H and W are those of the box over `downsample`, at least 1; the level read is the coarsest that
    is no coarser than that. `downsample` is 1 or more: `slide.microns_per_pixel` times it is the
    scale of the picture. Raises ValueError if the box leaves the slide, SlideRejected
    ("too_large") if more than MAX_REGION pixels had to be read, or if the slide is damaged there.
    """
    if box.x1 > slide.width or box.y1 > slide.height:
        raise ValueError(f"{box} leaves the slide of {slide.width} x {slide.height} pixels")
    if downsample < 1:
        raise ValueError(f"a slide has no more detail than its pixels: downsample {downsample}")
    number = slide.best_level(downsample)
    level = slide.levels[number]
    width = min(ceil(box.width / level.downsample), level.width)
    height = min(ceil(box.height / level.downsample), level.height)
    if width * height > MAX_REGION:
        raise SlideRejected(
            "too_large", f"The region of {box.width} x {box.height} pixels is too large to read."
        )
    pixels = slide.read(number, box.x0, box.y0, width, height)
    wanted = (max(1, round(box.width / downsample)), max(1, round(box.height / downsample)))
    if wanted == (width, height):
        return pixels
    return np.asarray(cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA), dtype=np.uint8)
