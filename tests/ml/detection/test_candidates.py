"""One box is kept of each object, and touching cells stay two."""

from __future__ import annotations

import numpy as np

from ml.detection.candidates import Candidates, join, keep_one_each, overlaps
from ml.detection.objects import ERYTHROCYTE, LEUKOCYTE, PLATELET


def candidates(*rows: tuple[list[float], int, float]) -> Candidates:
    boxes, kinds, scores = zip(*rows, strict=True)
    return Candidates(np.array(boxes, np.float32), np.array(kinds), np.array(scores, np.float32))


def test_touching_and_overlapping_cells_stay_two() -> None:
    found = candidates(
        ([0, 0, 40, 40], ERYTHROCYTE, 0.9),
        ([40, 0, 80, 40], ERYTHROCYTE, 0.8),
        ([52, 20, 92, 60], ERYTHROCYTE, 0.7),
    )
    assert len(keep_one_each(found)) == 3


def test_a_box_found_twice_is_kept_once_the_surer_one() -> None:
    found = candidates(([0, 0, 40, 40], ERYTHROCYTE, 0.5), ([1, 1, 41, 40], ERYTHROCYTE, 0.9))
    assert keep_one_each(found).scores.tolist() == [np.float32(0.9)]


def test_a_cell_is_either_red_or_white_but_a_platelet_may_lie_upon_a_red_one() -> None:
    one = candidates(([0, 0, 60, 60], ERYTHROCYTE, 0.4), ([2, 0, 60, 62], LEUKOCYTE, 0.6))
    assert keep_one_each(one).kinds.tolist() == [LEUKOCYTE]
    two = candidates(([0, 0, 20, 20], ERYTHROCYTE, 0.4), ([0, 0, 20, 21], PLATELET, 0.6))
    assert len(keep_one_each(two)) == 2


def test_nothing_is_kept_of_nothing() -> None:
    assert len(keep_one_each(join([]))) == 0


def test_overlap_is_intersection_over_union() -> None:
    box = np.array([0, 0, 10, 10], np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    assert np.allclose(overlaps(box, others), [1, 1 / 3, 0])
