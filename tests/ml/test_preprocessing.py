"""Training and serving read the same tensor from the same file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.datasets import Record, load_pixels
from ml.preprocessing import CANVAS, decode_image, fit_square, normalise, to_input
from ml.training import Fold
from tests.ml.annotations import Encode, Pixels


@pytest.mark.parametrize("size", [64, 96, 128])
def test_training_and_serving_tensors_are_identical(
    tmp_path: Path, cell_pixels: Pixels, encode: Encode, size: int
) -> None:
    path = tmp_path / "cell.jpg"
    path.write_bytes(encode(cell_pixels[:, :80], "JPEG"))
    record = Record(path=path, label="neutrophil", group="1", key="cell.jpg")
    fold = Fold(load_pixels([record], CANVAS), np.zeros(1, dtype=np.int64))
    served = to_input(decode_image(path.read_bytes()).pixels, size)
    np.testing.assert_array_equal(normalise(fold.views(size))[0], served)


def test_values_lie_between_minus_one_and_one() -> None:
    ends = normalise(np.array([[[0, 255, 127]]], dtype=np.uint8))
    assert ends.dtype == np.float32
    assert ends[0, 0, :2].tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("shape", [(24, 24), (300, 300), (480, 640), (640, 480), (24, 2000)])
def test_any_shape_becomes_a_square(shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 200, dtype=np.uint8)
    square = fit_square(pixels, 128)
    assert square.shape == (128, 128, 3)
    assert (square == 200).all()


def test_a_wide_image_keeps_its_shape_and_is_padded_with_its_background() -> None:
    pixels = np.full((100, 200, 3), (250, 230, 210), dtype=np.uint8)
    pixels[40:60, 90:110] = (60, 30, 120)
    square = fit_square(pixels, 100)
    assert square[0, 0].tolist() == [250, 230, 210]
    rows, columns = np.nonzero(square[..., 0] < 150)
    assert np.ptp(rows) == np.ptp(columns)
