"""The scale rests on sure cells of a believable size, at the guess where they cover most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ml.detection.candidates import Candidates, join
from ml.detection.objects import ERYTHROCYTE, LEUKOCYTE, RED_CELL
from ml.detection.scale import GUESSES, Glimpse, estimate_scale, measured_scale

AREA = 640.0 * 480.0


def cells(*diameters: float, kind: int = ERYTHROCYTE, score: float = 0.9) -> Candidates:
    sides = np.array(diameters, dtype=np.float32)
    boxes = np.column_stack([np.zeros((len(sides), 2), np.float32), sides, sides])
    return Candidates(boxes, np.full(len(sides), kind), np.full(len(sides), score, np.float32))


class Field:
    """Shows its cells as surely as their size in the view is usual; notes how it was looked at."""

    def __init__(self, found: Candidates) -> None:
        self.found = found
        self.looks: list[list[float]] = []

    def look(self, factors: Sequence[float]) -> list[Glimpse]:
        self.looks.append(list(factors))
        return [Glimpse(self._seen(factor), AREA) for factor in factors]

    def _seen(self, factor: float) -> Candidates:
        sizes = self.found.diameters * factor / RED_CELL
        is_usual = (sizes > 0.5) & (sizes < 2.5)
        scores = np.where(is_usual, self.found.scores, 0.1).astype(np.float32)
        return Candidates(self.found.boxes, self.found.kinds, scores)


@pytest.mark.parametrize("red_cell", [12, 20, 40, 79, 103, 160, 300])
def test_the_median_red_cell_is_found_from_any_size(red_cell: float) -> None:
    field = Field(cells(*(red_cell * share for share in (0.9, 0.95, 1.0, 1.05, 1.2))))
    scale = estimate_scale(field.look, width=640, height=480)
    assert scale.red_cell == pytest.approx(red_cell, rel=0.01)
    assert (scale.cells, scale.basis) == (5, "erythrocytes")
    assert field.looks == [[RED_CELL / guess for guess in GUESSES], [pytest.approx(40 / red_cell)]]


def test_a_few_mistaken_parts_do_not_tell_the_scale() -> None:
    field = Field(join([cells(*[100.0] * 12), cells(*[25.0] * 6)]))
    assert estimate_scale(field.look, width=640, height=480).red_cell == pytest.approx(100)


def test_white_cells_tell_it_where_red_ones_are_too_few() -> None:
    field = Field(join([cells(60.0, 90.0), cells(175.0, kind=LEUKOCYTE)]))
    scale = estimate_scale(field.look, width=640, height=480)
    assert scale.red_cell == pytest.approx(100)
    assert (scale.cells, scale.basis) == (1, "leukocytes")


def test_two_red_cells_are_better_than_none() -> None:
    scale = estimate_scale(Field(cells(60.0, 60.0)).look, width=640, height=480)
    assert scale.red_cell == pytest.approx(60)
    assert (scale.cells, scale.basis) == (2, "erythrocytes")


def test_unsure_cells_tell_nothing() -> None:
    field = Field(cells(*[60.0] * 9, score=0.2))
    scale = estimate_scale(field.look, width=640, height=460)
    assert scale.red_cell == pytest.approx(100)
    assert (scale.cells, scale.basis) == (0, "picture")


def test_all_cells_of_a_field_correct_the_estimate() -> None:
    estimate = estimate_scale(Field(join([])).look, width=640, height=480)
    assert measured_scale(estimate, cells(80.0, 80.0)) == estimate
    corrected = measured_scale(estimate, cells(80.0, 84.0, 82.0))
    assert (corrected.red_cell, corrected.cells) == (82.0, 3)
