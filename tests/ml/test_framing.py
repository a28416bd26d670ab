"""Every cell is found, and seen at one scale, wherever and however large it is in its picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ml.classes import CELL_CLASSES
from ml.framing import NUCLEUS_SHARE, Pose, frame, view_matrix
from ml.nucleus import Nucleus, empty_colour, find_nucleus
from ml.preprocessing import fit_square, to_view
from ml.stain import normalise_stain
from ml.synthetic import render_cell
from tests.ml.annotations import Pixels

PURPLE = (80, 45, 130)
PINK = (215, 175, 165)
EMPTY = (245, 240, 225)


def slide_with_disc(x: int, y: int, radius: int, side: int = 256) -> Pixels:
    slide = np.full((side, side, 3), EMPTY, dtype=np.uint8)
    for red_cell in ((30, 40), (200, 60), (60, 220)):
        cv2.circle(slide, red_cell, 34, PINK, -1)
    cv2.circle(slide, (x, y), radius, PURPLE, -1)
    return slide


@pytest.mark.parametrize(("x", "y", "radius"), [(128, 128, 30), (100, 150, 50), (150, 110, 14)])
def test_finds_centre_and_diameter_among_red_cells(x: int, y: int, radius: int) -> None:
    nucleus = find_nucleus(slide_with_disc(x, y, radius))
    assert nucleus is not None
    assert nucleus.x * 256 == pytest.approx(x, abs=2)
    assert nucleus.y * 256 == pytest.approx(y, abs=2)
    assert nucleus.diameter * 256 == pytest.approx(2 * radius, rel=0.12, abs=4)


def test_lobes_that_lie_together_are_one_nucleus() -> None:
    slide = slide_with_disc(115, 128, 14)
    cv2.circle(slide, (147, 128), 14, PURPLE, -1)
    nucleus = find_nucleus(slide)
    assert nucleus is not None
    assert nucleus.x * 256 == pytest.approx(131, abs=3)


def test_prefers_the_nucleus_in_the_middle() -> None:
    slide = slide_with_disc(128, 128, 24)
    cv2.circle(slide, (250, 250), 40, PURPLE, -1)
    nucleus = find_nucleus(slide)
    assert nucleus is not None
    assert nucleus.x * 256 == pytest.approx(128, abs=3)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_empty_picture_has_no_nucleus_and_is_seen_whole(grey: int) -> None:
    blank = np.full((256, 256, 3), grey, dtype=np.uint8)
    assert find_nucleus(blank) is None
    assert frame(blank, None, 96).shape == (96, 96, 3)
    assert to_view(blank, 96).shape == (96, 96, 3)


@pytest.mark.parametrize("cell_class", CELL_CLASSES)
def test_finds_the_nucleus_of_every_drawn_class(cell_class: str) -> None:
    found = [find_nucleus(fit_square(render_cell(cell_class, seed), 256)) for seed in range(5)]
    assert all(nucleus and abs(nucleus.x - 0.5) < 0.2 for nucleus in found)


def test_the_nucleus_comes_to_the_middle_at_its_share_of_the_view() -> None:
    nucleus = Nucleus(0.3, 0.6, 0.2)
    matrix = view_matrix(256, nucleus, 112)
    centre = matrix @ np.array([0.3 * 256, 0.6 * 256, 1.0])
    edge = matrix @ np.array([(0.3 + 0.2) * 256, 0.6 * 256, 1.0])
    assert centre.tolist() == pytest.approx([56, 56])
    assert edge[0] - centre[0] == pytest.approx(112 * NUCLEUS_SHARE)


def test_a_stray_view_keeps_the_nucleus_near_the_middle() -> None:
    pose = Pose(turn=70, mirrored=True, zoom=1.2, stretch=1.05, shift_x=0.05, shift_y=-0.04)
    matrix = view_matrix(256, Nucleus(0.3, 0.6, 0.2), 100, pose)
    centre = matrix @ np.array([0.3 * 256, 0.6 * 256, 1.0])
    assert centre.tolist() == pytest.approx([55, 46])


@pytest.mark.parametrize("margin", [20, 60, 120])
def test_the_view_does_not_depend_on_how_much_slide_surrounds_the_cell(margin: int) -> None:
    cell = slide_with_disc(128, 128, 60)[40:216, 40:216]
    wide = cv2.copyMakeBorder(
        cell, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=EMPTY
    )
    near, far = (
        to_view(np.asarray(picture, np.uint8), 96).astype(float) for picture in (cell, wide)
    )
    assert np.abs(near - far)[24:72, 24:72].mean() < 12


@pytest.mark.parametrize("light", [0.6, 1.0])
def test_stain_and_light_are_brought_to_one_standard(light: float) -> None:
    pale = np.full((96, 96, 3), np.array(EMPTY) * light, dtype=np.uint8)
    cv2.circle(pale, (48, 48), 24, [int(c * light) for c in (150, 120, 190)], -1)
    view = normalise_stain(pale)
    assert np.ptp(empty_colour(view)) <= 3
    assert view[0, 0].mean() == pytest.approx(235, abs=4)
    assert view[48, 48, 0] < pale[48, 48, 0] / light
