"""The losses are lowest for the right answer, and ask for nothing where nobody knows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.detection.decoding import encode
from ml.detection.losses import box_loss, heat_loss, pack_heat, pack_shapes
from ml.detection.objects import ERYTHROCYTE, LEUKOCYTE
from ml.detection.targets import Targets, draw_targets


@pytest.fixture
def targets() -> Targets:
    boxes = np.array([[20, 20, 60, 58], [52, 30, 92, 70], [90, 90, 170, 180]], np.float32)
    kinds = np.array([ERYTHROCYTE, ERYTHROCYTE, LEUKOCYTE])
    return draw_targets(boxes, kinds, height=192, width=192)


def right_logits(targets: Targets) -> NDArray[np.float32]:
    return np.where(targets.heat == 1, 8.0, -8.0).astype(np.float32)


def losses(
    targets: Targets, logits: NDArray[np.float32], shapes: NDArray[np.float32]
) -> tuple[float, float]:
    heat = heat_loss(pack_heat(targets)[np.newaxis], logits[np.newaxis])
    return float(heat), float(box_loss(pack_shapes(targets)[np.newaxis], shapes[np.newaxis]))


def test_the_right_answer_costs_nothing(targets: Targets) -> None:
    heat, box = losses(targets, right_logits(targets), encode(targets.boxes))
    assert heat == pytest.approx(0, abs=0.01)
    assert box == pytest.approx(0, abs=0.001)


def test_a_cell_missed_or_imagined_costs(targets: Targets) -> None:
    missed, imagined = right_logits(targets), right_logits(targets)
    missed[targets.heat == 1] = -8.0
    imagined[40, 5, LEUKOCYTE] = 8.0
    assert losses(targets, missed, encode(targets.boxes))[0] > 5
    assert losses(targets, imagined, encode(targets.boxes))[0] > 1


def test_what_nobody_knows_costs_nothing(targets: Targets) -> None:
    imagined = right_logits(targets)
    imagined[40, 5, LEUKOCYTE] = 8.0
    targets.heat_weights[40, 5, LEUKOCYTE] = 0.0
    assert losses(targets, imagined, encode(targets.boxes))[0] == pytest.approx(0, abs=0.01)


def test_a_box_that_is_off_costs_by_how_far(targets: Targets) -> None:
    costs = [
        losses(targets, right_logits(targets), encode(targets.boxes + np.float32(shift)))[1]
        for shift in (0, 5, 20, 100)
    ]
    assert costs == sorted(costs)
    assert costs[-1] > 1  # apart, the generalised overlap is below nothing


def test_a_rare_kind_weighs_more_than_its_number(targets: Targets) -> None:
    shares = []
    for kind in (ERYTHROCYTE, LEUKOCYTE):
        logits = right_logits(targets)
        logits[..., kind] = -8.0
        shares.append(losses(targets, logits, encode(targets.boxes))[0])
    assert shares[1] / shares[0] == pytest.approx(np.sqrt(1 / 2), rel=0.02)


def test_a_view_without_cells_has_a_loss() -> None:
    empty = draw_targets(np.empty((0, 4), np.float32), np.empty(0, np.int64), height=64, width=64)
    heat, box = losses(empty, right_logits(empty), encode(empty.boxes))
    assert np.isfinite(heat)
    assert box == 0
