"""Whether a patch of a slide holds a white cell."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml.nucleus import empty_colour
from ml.preprocessing import decode_image
from ml.slides.nuclei import holds_white_cell
from ml.slides.proposing import propose_regions
from ml.slides.regions import read_region
from ml.slides.slide import Slide
from ml.synthetic import render_field

RED_CELL = 30
SCALE = 7.5 / RED_CELL
"""Micrometres a pixel."""


@pytest.mark.parametrize("seed", range(8))
def test_white_cells_are_told_from_red_ones(seed: int) -> None:
    assert holds_white_cell(render_field(seed, 400, 300, cells=1, red_cell=RED_CELL), SCALE)
    assert not holds_white_cell(render_field(seed, 400, 300, cells=0, red_cell=RED_CELL), SCALE)


def test_all_regions_asked_for_with_white_cells_hold_one(slide: Slide) -> None:
    regions = propose_regions(slide, 6, white_cells=True)
    assert regions
    for region in regions:
        patch = read_region(slide, region.box)
        assert holds_white_cell(patch, slide.microns_per_pixel or SCALE)


def test_fields_of_bccd_without_their_white_cells_hold_none(data_dir: Path) -> None:
    root = data_dir / "bccd"
    if not (root / "boxes.csv").is_file():
        pytest.skip("needs BCCD")
    with (root / "boxes.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    names = sorted({row["file"] for row in rows if row["class"] == "WBC"})[::12]
    held, left = 0, 0
    for name in names:
        pixels = decode_image((root / "images" / name).read_bytes()).pixels
        held += holds_white_cell(_small(pixels), SCALE)
        for row in rows:
            if row["file"] == name and row["class"] == "WBC":
                x0, y0, x1, y1 = (
                    int(float(row[side])) for side in ("xmin", "ymin", "xmax", "ymax")
                )
                pixels[max(0, y0 - 8) : y1 + 8, max(0, x0 - 8) : x1 + 8] = empty_colour(pixels)
        left += holds_white_cell(_small(pixels), SCALE)
    assert held >= 0.95 * len(names)
    assert left <= 0.1 * len(names)


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A field of BCCD, whose red cells have 103 pixels, as a slide shows it."""
    side = RED_CELL / 103
    small = cv2.resize(pixels, None, fx=side, fy=side, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)
