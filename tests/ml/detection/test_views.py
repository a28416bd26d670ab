"""Boxes follow a field through every turn, scale and cut of its views."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ml.detection import views
from ml.detection.decoding import decode
from ml.detection.objects import ERYTHROCYTE
from ml.detection.stained import doubt_about
from ml.detection.views import LoadedField, make_view
from tests.ml.detection.drawing import draw_field, see_discs


def loaded(*, width: int = 420, height: int = 300, red_cell: float = 50.0) -> LoadedField:
    drawn = draw_field(1, width, height, red_cell=red_cell)
    return LoadedField(drawn.pixels, drawn.boxes, drawn.kinds, red_cell, None)


def test_boxes_lie_where_the_cells_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_recolour", lambda patch, _: patch)
    for seed in range(30):
        view, targets = make_view(loaded(), 192, np.random.default_rng(seed))
        seen = decode(*see_discs(view), floor=0.0)
        for row, column, kind in np.argwhere(targets.heat == 1.0):
            box = targets.boxes[row, column, kind]
            if box.min() < 1 or box.max() > 191:
                continue  # of a disc cut by the view less is seen than its box would fill
            away = np.abs(seen.boxes[seen.kinds == kind] - box).max(axis=1)
            assert away.min() < max(3.0, 0.1 * max(box[2:] - box[:2])), (seed, box)


def test_the_same_seed_gives_the_same_view() -> None:
    first, second = (make_view(loaded(), 96, np.random.default_rng(3)) for _ in range(2))
    assert (first[0] == second[0]).all()
    assert (first[1].heat == second[1].heat).all()


def test_a_view_is_nothing_beyond_the_picture() -> None:
    small = loaded(width=120, height=100)
    view, targets = make_view(small, 192, np.random.default_rng(0))
    outside = (view == 0).all(axis=2)
    assert 0.2 < outside.mean() < 0.95
    assert np.isfinite(targets.boxes).all()


def test_a_box_hardly_in_view_is_neither_asked_for_nor_denied() -> None:
    field = loaded()
    cut = [make_view(field, 96, np.random.default_rng(seed))[1] for seed in range(20)]
    assert any((targets.heat_weights == 0).any() for targets in cut)
    assert all((targets.heat_weights[targets.heat == 1] == 1).all() for targets in cut)


def test_red_cells_without_a_box_are_in_doubt() -> None:
    drawn = draw_field(2, 400, 300, red_cell=50)
    known = np.ones(len(drawn.kinds), dtype=bool)
    lost = int(np.flatnonzero(drawn.kinds == ERYTHROCYTE)[5])
    known[lost] = False
    doubt = doubt_about(drawn.pixels, drawn.boxes[known], drawn.kinds[known])
    x0, y0, x1, y1 = drawn.boxes[lost].astype(int)
    assert doubt[(y0 + y1) // 2, (x0 + x1) // 2] == 255
    elsewhere = doubt.copy()
    elsewhere[y0 - 3 : y1 + 3, x0 - 3 : x1 + 3] = 0
    assert cv2.countNonZero(elsewhere) < 0.02 * elsewhere.size
    field = LoadedField(drawn.pixels, drawn.boxes[known], drawn.kinds[known], 50.0, doubt)
    targets = [make_view(field, 192, np.random.default_rng(seed))[1] for seed in range(8)]
    assert any((each.heat_weights[..., ERYTHROCYTE] < 0.1).sum() > 20 for each in targets)
