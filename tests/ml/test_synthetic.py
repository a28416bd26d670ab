"""Drawn cells: the same for the same seed, different otherwise, and plainly marked."""

from __future__ import annotations

import numpy as np
import pytest

from ml.classes import CELL_CLASSES
from ml.synthetic import render_cell, render_field
from tests.ml.annotations import Pixels


@pytest.mark.parametrize("cell_class", CELL_CLASSES)
def test_the_seed_decides_the_picture(cell_class: str) -> None:
    first, again = render_cell(cell_class, 3, 120), render_cell(cell_class, 3, 120)
    other = render_cell(cell_class, 4, 120)
    assert first.shape == (120, 120, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 3


@pytest.mark.parametrize("cell_class", [name for name in CELL_CLASSES if name != "platelet"])
def test_a_dark_nucleus_lies_in_the_middle_of_a_pale_picture(cell_class: str) -> None:
    pixels = render_cell(cell_class, 1, 200)
    assert np.median(pixels) > 150
    red = pixels[60:140, 60:140, 0]
    assert (red < 110).mean() > 0.05


@pytest.mark.parametrize("picture", [render_cell("monocyte", 1, 360), render_field(1, 640, 480)])
def test_every_picture_is_marked_in_its_lower_left_corner(picture: Pixels) -> None:
    height, width = picture.shape[:2]
    corner = picture[int(height * 0.94) :, : int(width * 0.25)].astype(int)
    assert (corner.sum(axis=2) < 330).sum() > 60


def test_a_field_has_the_size_and_the_number_of_white_cells_asked_for() -> None:
    empty, full = render_field(2, 800, 600, cells=0), render_field(2, 800, 600, cells=6)
    assert empty.shape == full.shape == (600, 800, 3)
    assert (full[..., 0] < 90).sum() > (empty[..., 0] < 90).sum() + 3000
