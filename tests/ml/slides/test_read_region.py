"""A region is read pixel by pixel as it is stored, or smaller, and never too much at once."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.drawn_slides import draw_block
from ml.errors import SlideRejected
from ml.slides import regions
from ml.slides.regions import read_region
from ml.slides.slide import Slide
from ml.types import BoundingBox

BLOCK = BoundingBox(2048, 1024, 3072, 2048)


def test_a_region_is_the_pixels_of_the_file(slide: Slide) -> None:
    pixels = read_region(slide, BLOCK)
    drawn = draw_block("m", 0) // 4 * 4  # as drawn slides are stored
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, drawn)


def test_a_region_over_many_strips_has_no_seams(
    slide: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_region(slide, BLOCK)
    monkeypatch.setattr("ml.slides.slide._STRIP_PIXELS", 100_000)
    assert np.array_equal(read_region(slide, BLOCK), whole)


@pytest.mark.parametrize("downsample", [2.0, 3.2, 4.0, 16.0, 40.0])
def test_a_smaller_picture_shows_the_same(slide: Slide, downsample: float) -> None:
    small = read_region(slide, BLOCK, downsample=downsample)
    side = round(1024 / downsample)
    assert small.shape == (side, side, 3)
    fine = read_region(slide, BLOCK)
    assert np.abs(small.mean((0, 1)) - fine.mean((0, 1))).max() < 3


def test_refuses_a_region_beyond_the_slide(slide: Slide) -> None:
    with pytest.raises(ValueError, match="leaves the slide"):
        read_region(slide, BoundingBox(10000, 0, 10241, 100))
    with pytest.raises(ValueError, match="downsample"):
        read_region(slide, BLOCK, downsample=0.5)


def test_refuses_a_region_that_is_too_large(slide: Slide, monkeypatch: pytest.MonkeyPatch) -> None:
    assert regions.MAX_REGION == 64_000_000
    monkeypatch.setattr(regions, "MAX_REGION", 1_000_000)
    with pytest.raises(SlideRejected) as caught:
        read_region(slide, BLOCK)
    assert caught.value.code == "too_large"
    assert read_region(slide, BLOCK, downsample=4).shape == (256, 256, 3)
