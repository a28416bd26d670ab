"""A release's novelty statistics, fitted on drawn cells through the network that serves."""

from __future__ import annotations

import numpy as np
import pytest

from ml import novelty
from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.engine import open_engine
from ml.folds import Fold
from ml.novelty_fitting import choose_examples, fit_release, plain_view, read_views, varied_view
from ml.preprocessing import CANVAS
from ml.synthetic import render_cell

pytestmark = pytest.mark.real_model

NAMES = read_spec(DEFAULT_RELEASE).class_names


def drawn(each: int, *, seed: int) -> Fold:
    """So many cells a class, each in the four ways that a picture can lie."""
    cells = [
        (np.rot90(render_cell(name, seed + number, size=CANVAS), turn), label)
        for label, name in enumerate(NAMES)
        for number in range(each)
        for turn in range(4)
    ]
    return Fold(
        pixels=np.stack([pixels for pixels, _ in cells]),
        labels=np.array([label for _, label in cells], dtype=np.int64),
    )


def one_cell(times: int = 1) -> Fold:
    pixels = render_cell(NAMES[0], 7, size=CANVAS)
    return Fold(np.stack([pixels] * times), np.zeros(times, dtype=np.int64))


def test_fits_and_tells_noise_from_cells() -> None:
    training, validation = drawn(3, seed=100), drawn(1, seed=200)
    keys = [f"cell {number}" for number in range(len(training.labels))]
    statistics = fit_release(DEFAULT_RELEASE, training, validation, keys=keys)
    assert statistics.example_keys.tolist() == keys

    spec, engine = open_engine(DEFAULT_RELEASE)
    size = spec.input_size
    noise = np.random.default_rng(1).integers(0, 256, size=(6, size, size, 3), dtype=np.uint8)
    _, odd = read_views(engine, lambda number: noise[number], range(6))
    _, usual = read_views(
        engine, lambda number: plain_view(validation, number, size), range(len(validation.labels))
    )
    assert (novelty.score(statistics, usual) <= 1.0).mean() > 0.95
    assert novelty.score(statistics, odd).min() > np.median(novelty.score(statistics, usual))
    assert (novelty.score(statistics, odd) > 1.0).all()


def test_reads_a_view_as_serving_does() -> None:
    spec, engine = open_engine(DEFAULT_RELEASE)
    view = plain_view(one_cell(), 0, spec.input_size)
    logits, features = read_views(engine, lambda _: view, [0])
    assert logits.shape == (1, len(NAMES))
    assert features.shape == (1, 1280)


def test_a_varied_view_is_always_the_same_for_a_number() -> None:
    fold = one_cell(times=5)
    first, again, other = (varied_view(fold, number, 96) for number in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_chooses_examples_evenly_and_in_order() -> None:
    labels = np.array([0] * 50 + [1] * 5 + [2] * 50, dtype=np.int64)
    chosen = choose_examples(labels, 30)
    assert np.bincount(labels[chosen]).tolist() == [10, 5, 10]
    assert (np.diff(chosen) > 0).all()
