"""Precision and recall are COCO's."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import numpy as np
import pytest
from pycocotools.cocoeval import COCOeval

from ml.detection import matching
from ml.detection.candidates import Candidates, join
from ml.detection.matching import (
    average_precision,
    match,
    recall_at,
    unbiased_threshold,
)
from ml.detection.objects import LEUKOCYTE


def some_fields(seed: int, count: int = 6) -> tuple[list[Candidates], list[Candidates]]:
    """True boxes, and boxes found: shaken, some lost, some imagined."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(count):
        corners = rng.uniform(0, 400, (20, 2))
        boxes = np.hstack([corners, corners + rng.uniform(20, 60, (20, 2))]).astype(np.float32)
        kinds = rng.integers(0, 3, 20)
        truth.append(Candidates(boxes, kinds, np.ones(20, np.float32)))
        shaken = boxes + rng.normal(0, 4, boxes.shape).astype(np.float32)
        shaken[15:] += 100
        scores = rng.uniform(0.1, 0.9, 20).astype(np.float32)
        found.append(Candidates(shaken, kinds, scores).only(rng.permutation(20)[:17]))
    return truth, found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_average_precision_is_that_of_pycocotools(seed: int) -> None:
    truth, found = some_fields(seed)
    with redirect_stdout(io.StringIO()):
        reference = COCOeval(matching._to_coco(truth), matching._to_coco(found), "bbox")
        reference.evaluate()
        reference.accumulate()
    wanted = reference.eval["precision"][:, :, :, 0, -1].mean(axis=1)  # overlap x kind
    for kind, matches in enumerate(match(truth, found)):
        assert np.allclose(average_precision(matches), wanted[:, kind])


def test_fields_counted_twice_weigh_twice() -> None:
    truth, found = some_fields(4)
    doubled = match([*truth, truth[0]], [*found, found[0]])
    weights = np.array([2.0, *[1.0] * (len(truth) - 1)])
    for matches, wanted in zip(match(truth, found), doubled, strict=True):
        assert np.allclose(average_precision(matches, weights), average_precision(wanted))


def test_recall_is_what_few_false_boxes_allow() -> None:
    box = np.array([[0, 0, 50, 50], [100, 0, 150, 50], [200, 0, 250, 50]], np.float32)
    kinds = np.full(3, LEUKOCYTE)
    truth = Candidates(box[:2], kinds[:2], np.ones(2, np.float32))
    found = Candidates(box, kinds, np.array([0.9, 0.4, 0.6], np.float32))
    matches = match([truth], [found])[LEUKOCYTE]
    assert np.allclose(recall_at(matches, false_per_field=0.5), (0.5, 0.9))
    assert np.allclose(recall_at(matches, false_per_field=1.0), (1.0, 0.4))
    assert unbiased_threshold(matches) == pytest.approx(0.6)


def test_nothing_found_is_no_error() -> None:
    truth, _ = some_fields(5, count=2)
    for matches in match(truth, [join([]), join([])]):
        assert (average_precision(matches) == 0).all()
        assert recall_at(matches, false_per_field=0.1) == (0.0, 1.0)
    assert np.isnan(average_precision(match([join([])], [join([])])[0])).all()
