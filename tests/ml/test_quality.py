"""Quality: blur raises one measure whatever the size, the picture's edge the other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml import quality
from ml.nucleus import Nucleus, find_nucleus
from ml.preprocessing import CANVAS, fit_square
from ml.synthetic import render_cell

KINDS = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")


@pytest.fixture(scope="module", params=KINDS)
def cell(request: pytest.FixtureRequest) -> NDArray[np.uint8]:
    return render_cell(request.param, seed=5)


def nucleus_of(pixels: NDArray[np.uint8]) -> Nucleus:
    nucleus = find_nucleus(fit_square(pixels, CANVAS))
    assert nucleus is not None
    return nucleus


def blurred(pixels: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Blur by a share of the diameter of the nucleus."""
    sigma = share * nucleus_of(pixels).diameter * max(pixels.shape[:2])
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.uint8)


def test_accepts_a_sharp_whole_cell(cell: NDArray[np.uint8]) -> None:
    found = quality.examine(cell, 96)
    assert found.blur < 1.0
    assert found.cut < 1.0
    assert found.worst == max(found.blur, found.cut, found.scatter)


def test_refuses_a_cell_out_of_focus(cell: NDArray[np.uint8]) -> None:
    assert quality.examine(blurred(cell, 0.2), 96).blur > 1.0


def test_more_blur_is_measured_as_more(cell: NDArray[np.uint8]) -> None:
    degrees = [quality.examine(blurred(cell, share), 96).blur for share in (0.01, 0.06, 0.12)]
    assert degrees == sorted(degrees)


def test_hardly_minds_the_size_of_the_picture_or_of_the_view(cell: NDArray[np.uint8]) -> None:
    small = np.asarray(cv2.resize(cell, (120, 120), interpolation=cv2.INTER_AREA), np.uint8)
    usual = quality.examine(cell, 96).blur
    assert quality.examine(small, 96).blur == pytest.approx(usual, abs=0.4)
    assert quality.examine(cell, 128).blur == pytest.approx(usual, abs=0.3)


def test_refuses_a_cell_cut_through_its_nucleus(cell: NDArray[np.uint8]) -> None:
    middle = round(nucleus_of(cell).x * cell.shape[1])
    assert quality.examine(np.ascontiguousarray(cell[:, middle:]), 96).cut > 1.0


def test_overhang_counts_from_the_picture_not_from_its_padding() -> None:
    touching = Nucleus(x=0.35, y=0.5, diameter=0.2)
    assert quality.overhang_of(touching, 100, 100) == pytest.approx(-2.5)
    assert quality.overhang_of(touching, 50, 100) == pytest.approx(0.0)


@pytest.mark.parametrize("side", [60, 200, 360, 640])
def test_refuses_specks_all_over_the_picture(side: int) -> None:
    noise = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    assert quality.examine(noise, 96).scatter > 1.0


def test_lobes_are_no_specks() -> None:
    for seed in range(6):
        assert quality.examine(render_cell("neutrophil", seed, 200), 96).scatter < 1.0


def test_refuses_an_empty_slide() -> None:
    empty = np.full((200, 200, 3), 235, dtype=np.uint8)
    assert quality.examine(empty, 96) == quality.NO_CELL
    assert quality.NO_CELL.worst > 1.0


def test_a_plain_view_has_a_finite_blur() -> None:
    assert np.isfinite(quality.blur_of(np.full((96, 96, 3), 128, dtype=np.uint8)))
