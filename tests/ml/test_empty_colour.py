"""The fast ways to the colour and density of a slide give the very numbers of the plain ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.classes import CELL_CLASSES
from ml.datasets import read_pbc
from ml.nucleus import empty_colour, optical_density
from ml.preprocessing import decode_image
from ml.synthetic import render_cell
from tests.ml.annotations import Pixels


def plain_empty_colour(pixels: Pixels) -> NDArray[np.float32]:
    flat = pixels.reshape(-1, 3)
    brightness = flat.sum(axis=1, dtype=np.int32)
    bright = flat[brightness >= np.quantile(brightness, 0.85)]
    return np.asarray(np.median(bright, axis=0), dtype=np.float32)


def check_same(pixels: Pixels) -> None:
    empty = plain_empty_colour(pixels)
    np.testing.assert_array_equal(empty_colour(pixels), empty)
    density = np.log((empty + 1.0) / (pixels.astype(np.float32) + 1.0))
    np.testing.assert_array_equal(optical_density(pixels, empty), density)


def test_on_drawn_cells_whole_and_cut() -> None:
    for index, name in enumerate(CELL_CLASSES):
        cell = render_cell(name, index)
        check_same(cell)
        check_same(cell[20:221, 30:160])


@pytest.mark.parametrize("side", [1, 2, 3, 5, 21, 96])
def test_on_noise_of_any_size(side: int) -> None:
    rng = np.random.default_rng(side)
    for width in (side, side + 1):
        check_same(rng.integers(0, 256, (side, width, 3), dtype=np.uint8))
        check_same(np.full((side, width, 3), 255, dtype=np.uint8))
        check_same(rng.integers(100, 103, (side, width, 3), dtype=np.uint8))


def test_on_real_cells(data_dir: Path) -> None:
    records = read_pbc(data_dir)
    for record in records[:: len(records) // 300]:
        check_same(decode_image(record.path.read_bytes()).pixels)
