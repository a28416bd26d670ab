"""Boxes drawn as targets are the boxes that decoding gives back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.detection.candidates import Candidates
from ml.detection.decoding import decode, encode
from ml.detection.objects import ERYTHROCYTE, LEUKOCYTE, PLATELET
from ml.detection.targets import Targets, draw_targets


def there_and_back(boxes: list[list[float]], kinds: list[int]) -> Candidates:
    targets = draw_targets(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(kinds, np.int64), height=192, width=256
    )
    heat = targets.heat.clip(1e-4, 1 - 1e-4)
    return decode(np.log(heat / (1 - heat)), encode(targets.boxes), floor=0.9)


def as_rows(boxes: NDArray[np.float32], kinds: NDArray[np.int64]) -> list[list[float]]:
    return sorted(
        [int(kind), *box.round(2).tolist()] for box, kind in zip(boxes, kinds, strict=True)
    )


@pytest.mark.parametrize(
    ("boxes", "kinds"),
    [
        ([[10, 20, 52, 61], [100.5, 90.25, 180, 170]], [ERYTHROCYTE, LEUKOCYTE]),
        ([[20, 20, 60, 60], [52, 30, 92, 70]], [ERYTHROCYTE, ERYTHROCYTE]),  # they overlap
        ([[20, 20, 60, 60], [34, 34, 46, 46]], [ERYTHROCYTE, PLATELET]),  # one upon the other
        ([[0, 0, 20, 40], [246, 180, 256, 192]], [LEUKOCYTE, PLATELET]),  # cut by the edge
        ([], []),
    ],
)
def test_boxes_come_back(boxes: list[list[float]], kinds: list[int]) -> None:
    found = there_and_back(boxes, kinds)
    wanted = as_rows(np.array(boxes, np.float32).reshape(-1, 4), np.array(kinds, np.int64))
    assert np.allclose(as_rows(found.boxes, found.kinds), wanted, atol=0.02)


def test_each_object_weighs_the_same() -> None:
    targets = draw_targets(
        np.array([[20, 20, 30, 30], [60, 40, 180, 150]], np.float32),
        np.array([PLATELET, LEUKOCYTE]),
        height=192,
        width=192,
    )
    assert np.allclose(targets.box_weights.sum(axis=(0, 1)), [0, 1, 1])
    assert is_sane(targets)


def is_sane(targets: Targets) -> bool:
    return bool((targets.heat <= 1).all() and (targets.heat_weights == 1).all())
