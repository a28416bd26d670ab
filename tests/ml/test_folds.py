"""Sources mixed into one fold, and the batches that are made of it."""

from __future__ import annotations

import numpy as np
import pytest

from ml.classes import CELL_CLASSES
from ml.feeding import Batch, augmented_batches, class_weights
from ml.folds import Fold, mix
from ml.synthetic import render_cell


def drawn(labels: list[int], seed: int = 0) -> Fold:
    cells = [render_cell(CELL_CLASSES[label], seed + n, 72) for n, label in enumerate(labels)]
    return Fold(np.stack(cells), np.array(labels, dtype=np.int64))


def blank(labels: list[int]) -> Fold:
    return Fold(np.zeros((len(labels), 4, 4, 3), np.uint8), np.array(labels, dtype=np.int64))


def batches(fold: Fold, epoch: int) -> list[Batch]:
    return list(
        augmented_batches(fold, CELL_CLASSES, sizes=[48], batch_size=8, seed=5, epoch=epoch)
    )


def test_batches_depend_on_seed_and_epoch_alone() -> None:
    fold = drawn([0, 1, 2, 3, 4, 5, 6, 7, 0, 1])
    first, again, other = batches(fold, 1)[0], batches(fold, 1)[0], batches(fold, 2)[0]
    np.testing.assert_array_equal(first[0], again[0])
    assert np.abs(first[0] - other[0]).max() > 0.1
    images, targets, weights = first
    assert images.shape == (8, 48, 48, 3)
    assert np.abs(images).max() <= 1.0
    assert targets.sum() == 8
    assert weights.shape == (8,)


def test_every_picture_is_seen_once_an_epoch() -> None:
    fold = drawn([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 1])
    seen = np.concatenate([targets for _, targets, _ in batches(fold, 0)]).sum(axis=0)
    np.testing.assert_array_equal(seen, np.bincount(fold.labels, minlength=8))


def test_rare_classes_weigh_more_and_the_mean_weight_is_one() -> None:
    fold = blank([0] * 90 + [1] * 10)
    weights = class_weights(fold, ("neutrophil", "lymphocyte"))
    assert weights[1] == pytest.approx(3 * weights[0])
    assert weights[fold.labels].mean() == pytest.approx(1.0)


def test_a_platelet_weighs_less() -> None:
    weights = class_weights(blank(list(range(8)) * 10), CELL_CLASSES)
    assert weights[CELL_CLASSES.index("platelet")] < weights[0] / 2


def test_a_mixed_source_makes_up_its_share_and_lifts_its_rare_classes() -> None:
    mixed = mix(blank([0] * 300), [(blank([0] * 16 + [1] * 4), 0.25)])
    assert mixed.views_an_epoch == 400
    assert mixed.times is not None
    assert (mixed.times[:300] == 1).all()
    of_common, of_rare = mixed.times[300:316].sum(), mixed.times[316:].sum()
    assert of_common == pytest.approx(2 * of_rare)


def test_an_epoch_rounds_by_chance_how_often_a_picture_is_seen() -> None:
    mixed = mix(blank([0] * 300), [(blank([0] * 16 + [1] * 4), 0.25)])
    order = mixed.draw_order(np.random.default_rng(0))
    counts = np.bincount(order, minlength=320)
    assert (counts[:300] == 1).all()
    assert abs(len(order) - 400) < 10
    assert mixed.times is not None
    assert (np.abs(counts - mixed.times) < 1).all()


def test_one_source_alone_is_left_as_it_is() -> None:
    fold = mix(blank([0, 1, 2]), [])
    assert sorted(fold.draw_order(np.random.default_rng(0))) == [0, 1, 2]
