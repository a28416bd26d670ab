"""A cut-out cell or a whole field."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from ml.classes import CELL_CLASSES
from ml.kinds import guess_kind
from ml.preprocessing import decode_image
from ml.strangers import cut_all, read_bccd_cells
from ml.synthetic import render_cell, render_field


@pytest.mark.parametrize("cell_class", CELL_CLASSES)
@pytest.mark.parametrize("size", [150, 256, 360, 575])
def test_a_synthetic_cell_is_a_cell(cell_class: str, size: int) -> None:
    kinds = [guess_kind(render_cell(cell_class, seed, size)) for seed in range(3)]
    assert kinds == ["cell"] * 3


@pytest.mark.parametrize(
    ("width", "height", "red_cell"),
    [(640, 480, 60), (1280, 960, 60), (1000, 1000, 50), (1600, 1200, 75), (600, 800, 50)],
)
def test_a_synthetic_field_is_a_field(width: int, height: int, red_cell: int) -> None:
    kinds = [
        guess_kind(render_field(seed, width, height, cells=4, red_cell=red_cell))
        for seed in range(2)
    ]
    assert kinds == ["field"] * 2


@pytest.mark.parametrize("shape", [(24, 24), (24, 4000), (3000, 24), (500, 500), (480, 640)])
def test_an_empty_image_of_any_shape_gets_an_answer(shape: tuple[int, int]) -> None:
    for value in (0, 128, 255):
        assert guess_kind(np.full((*shape, 3), value, dtype=np.uint8)) in {"cell", "field"}


def test_real_cells_and_fields_are_told_apart(data_dir: Path) -> None:
    with (data_dir / "pbc" / "index.csv").open(newline="") as lines:
        names = [row["file"] for row in csv.DictReader(lines)][::150]
    cells = [decode_image((data_dir / "pbc" / name).read_bytes()).pixels for name in names]
    cells += cut_all(read_bccd_cells(data_dir)[::5], margin=1.7)
    fields = [
        decode_image(path.read_bytes()).pixels
        for path in sorted((data_dir / "bccd" / "images").iterdir())[::5]
    ]
    assert np.mean([guess_kind(pixels) == "cell" for pixels in cells]) >= 0.97
    assert np.mean([guess_kind(pixels) == "field" for pixels in fields]) >= 0.95
