"""Stain and lamp tell in figures of their own."""

import numpy as np
import pytest

from ml.appearance import SIGNALS, appearance_of, as_row
from ml.synthetic import render_cell


@pytest.fixture(scope="module")
def cell() -> np.ndarray:
    return render_cell("lymphocyte", seed=4)


def test_a_darker_stain_is_denser_and_nothing_else(cell: np.ndarray) -> None:
    before = appearance_of(cell)
    white = np.array([before.light] * 3)
    darker = appearance_of(
        (white * (cell / 255.0) ** 1.4 * 255 / white.max()).clip(0, 255).astype(np.uint8)
    )
    assert darker.density > before.density * 1.2
    assert darker.hue == pytest.approx(before.hue, rel=0.15)


def test_a_dimmer_lamp_is_dimmer_and_no_stain(cell: np.ndarray) -> None:
    before, after = appearance_of(cell), appearance_of((cell * 0.8).astype(np.uint8))
    assert after.light == pytest.approx(before.light * 0.8, rel=0.02)
    assert after.density == pytest.approx(before.density, rel=0.06)
    assert after.warmth == pytest.approx(before.warmth, rel=0.02)


def test_a_yellow_lamp_is_warmer(cell: np.ndarray) -> None:
    yellow = (cell * np.array([1.0, 0.97, 0.8])).astype(np.uint8)
    assert appearance_of(yellow).warmth > appearance_of(cell).warmth * 1.2


def test_the_size_of_the_picture_does_not_matter(cell: np.ndarray) -> None:
    large = np.kron(cell, np.ones((2, 2, 1), dtype=np.uint8))
    assert as_row(appearance_of(large)) == pytest.approx(as_row(appearance_of(cell)), rel=0.05)
    assert len(as_row(appearance_of(cell))) == len(SIGNALS)
