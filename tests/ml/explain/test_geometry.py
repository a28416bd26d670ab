"""A place of the view is found again in the picture, and a feature's place in the view."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from ml.architectures import build
from ml.explain import Network
from ml.explain.geometry import image_to_view, is_seen, to_image
from ml.head import FeatureGrid
from ml.preprocessing import to_view
from ml.receptive import feature_grid
from ml.synthetic import render_cell


def _centre(plane: NDArray[np.floating]) -> NDArray[np.float64]:
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return np.array([(columns * plane).sum(), (rows * plane).sum()]) / plane.sum()


@pytest.mark.parametrize("shape", [(128, 128), (300, 180), (97, 211)])
def test_a_mark_in_the_picture_lies_where_the_map_says(shape: tuple[int, int]) -> None:
    size = max(shape)
    top, left = (size - shape[0]) // 2, (size - shape[1]) // 2
    plain = render_cell("lymphocyte", seed=4, size=size)
    plain = plain[top : top + shape[0], left : left + shape[1]].copy()
    marked = plain.copy()
    row, column, radius = int(0.40 * shape[0]), int(0.44 * shape[1]), max(2, size // 50)
    spot = slice(row - radius, row + radius + 1), slice(column - radius, column + radius + 1)
    marked[spot] -= np.minimum(
        marked[spot], np.array([0, 60, 0], dtype=np.uint8)
    )  # no chromatin, which takes up red
    change = to_view(marked, 112).astype(float) - to_view(plain, 112)
    strength = np.abs(change).sum(axis=2)
    found = _centre(strength * (strength > 0.5 * strength.max()))
    expected = image_to_view(plain, 112) @ [column, row, 1.0]
    np.testing.assert_allclose(found, expected, atol=1.0)


def test_a_map_laid_on_the_picture_keeps_its_places() -> None:
    pixels = render_cell("monocyte", seed=1, size=200)[:, 30:170]
    matrix = image_to_view(pixels, 128)
    plane = np.zeros((128, 128), np.float32)
    plane[40:44, 70:74] = 1.0
    expected = np.linalg.solve(matrix[:, :2], np.array([71.5, 41.5]) - matrix[:, 2])
    np.testing.assert_allclose(_centre(to_image(plane, matrix, 200, 140)), expected, atol=0.3)


def test_is_nowhere_hot_outside_what_the_network_saw() -> None:
    matrix = np.array([[1.0, 0.0, -40.0], [0.0, 1.0, -10.0]])
    laid = to_image(np.ones((64, 64), np.float32), matrix, 128, 128)
    seen = is_seen(matrix, 64, 128, 128)
    assert seen.sum() == 64 * 64
    assert seen[10:74, 40:104].all()
    np.testing.assert_array_equal(laid, seen.astype(np.float32))


def test_knows_where_the_cells_of_mobilenet_look() -> None:
    for size, offset in ((128, 31.0), (112, 15.0)):
        model = build("mobilenet_v2", input_size=size, classes=2)
        assert feature_grid(model.layers[-3].input) == FeatureGrid(32, offset)


def test_centred_kernels_shift_nothing() -> None:
    inputs = keras.Input((33, 33, 3))
    same = keras.layers.Conv2D(2, 3, padding="same")(inputs)
    halved = keras.layers.MaxPooling2D(3, strides=2, padding="same")(same)
    assert feature_grid(halved) == FeatureGrid(2, 0.0)


def test_features_follow_a_spot_better_than_a_map_stretched_over_the_view(
    network: Network,
) -> None:
    size, half = network.spec.input_size, network.grid.stride / 2 - 0.5
    places = np.random.default_rng(0).integers(24, size - 24, size=(31, 2))
    views = np.full((len(places) + 1, size, size, 3), (252, 232, 212), dtype=np.uint8)
    for view, (column, row) in zip(views[1:], places, strict=True):
        view[row - 8 : row + 9, column - 8 : column + 9] = (90, 40, 130)
    features = network.looks(views)[0].features
    change = np.square(features[1:] - features[0]).sum(axis=-1)
    aligned, stretched = (
        np.array([_centre(grid.spread(each, size)) for each in change])
        for grid in (network.grid, FeatureGrid(network.grid.stride, half))
    )
    assert np.corrcoef(aligned.T, places.T)[[0, 1], [2, 3]].min() > 0.6
    assert np.abs(aligned - places).mean() < np.abs(stretched - places).mean()
