"""A slide's tiles, laid side by side, are the slide at any magnification."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image, ImageCms

from benchmarks.drawn_slides import write_tiff
from ml.slides.deepzoom import dzi, tile
from ml.slides.opening import open_slide
from ml.slides.regions import read_region
from ml.slides.slide import Slide
from ml.types import BoundingBox


def test_the_description_is_what_openseadragon_reads(slide: Slide) -> None:
    image = ET.fromstring(dzi(slide))
    space = "{http://schemas.microsoft.com/deepzoom/2008}"
    assert image.tag == f"{space}Image"
    assert image.attrib == {"TileSize": "254", "Overlap": "1", "Format": "jpeg"}
    size = image.find(f"{space}Size")
    assert size is not None
    assert size.attrib == {"Width": "10240", "Height": "6144"}


@pytest.mark.parametrize(
    ("level", "downsample", "column", "row"), [(14, 1, 14, 9), (12, 4, 3, 2), (11, 8, 2, 1)]
)
def test_a_tile_shows_its_part_of_the_slide(
    slide: Slide, level: int, downsample: int, column: int, row: int
) -> None:
    picture = decode(tile(slide, level, column, row))
    assert picture.shape == (256, 256, 3)
    left, top = (column * 254 - 1) * downsample, (row * 254 - 1) * downsample
    box = BoundingBox(left, top, left + 256 * downsample, top + 256 * downsample)
    region = read_region(slide, box, downsample=downsample)
    assert (
        np.abs(picture.astype(int) - region).mean() < 7
    )  # JPEG and another filter; shifted by a pixel 13


def test_the_smallest_level_is_one_pixel(slide: Slide) -> None:
    assert decode(tile(slide, 0, 0, 0)).shape == (1, 1, 3)


@pytest.mark.parametrize("place", [(15, 0, 0), (-1, 0, 0), (14, 41, 0), (14, 0, 25), (14, -1, 0)])
def test_a_tile_that_is_not_there_is_an_error(slide: Slide, place: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        tile(slide, *place)


def test_a_tile_carries_no_colour_profile(tmp_path: Path) -> None:
    path = tmp_path / "slide.tif"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    write_tiff(path, ["tm", "mT"], icc_profile=profile)
    with open_slide(path) as slide:
        assert "icc_profile" in slide.read_tile(10, 0, 0).info
        with Image.open(io.BytesIO(tile(slide, 10, 0, 0))) as picture:
            assert "icc_profile" not in picture.info
            assert not picture.getexif()


def test_threads_may_share_a_slide(slide: Slide) -> None:
    places = [(14, column, row) for column in range(8, 16) for row in range(4, 8)]
    alone = [tile(slide, *place) for place in places]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda place: tile(slide, *place), places))
    assert together == alone


def decode(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "JPEG"
        return np.asarray(picture)
