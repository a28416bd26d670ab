"""A release's novelty statistics, fitted on drawn cells through the network that serves."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml import novelty
from ml.artifacts import DEFAULT_RELEASE, WEIGHTS_NAME, read_spec, write_spec
from ml.folds import Fold
from ml.novelty_fitting import ViewReader, choose_examples, fit_release, plain_view, varied_view
from ml.preprocessing import CANVAS, LETTERBOX, NUCLEUS
from ml.serving_form import FORM_NAME, SERVED_NAME
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


def copy_release(folder: Path, preprocessing: str) -> Path:
    for name in (WEIGHTS_NAME, SERVED_NAME, FORM_NAME):
        shutil.copy(DEFAULT_RELEASE / name, folder / name)
    write_spec(folder, replace(read_spec(DEFAULT_RELEASE), preprocessing=preprocessing))
    return folder


def test_fits_and_tells_noise_from_cells(tmp_path: Path) -> None:
    release = copy_release(tmp_path, NUCLEUS)
    training, validation = drawn(3, seed=100), drawn(1, seed=200)
    keys = [f"cell {number}" for number in range(len(training.labels))]
    statistics = fit_release(release, training, validation, keys=keys)
    assert statistics.example_keys.tolist() == keys

    reader = ViewReader(release)
    size = reader.spec.input_size
    noise = np.random.default_rng(1).integers(0, 256, size=(6, size, size, 3), dtype=np.uint8)
    _, odd = reader.read_all(lambda number: noise[number], range(6))
    _, usual = reader.read_all(
        lambda number: plain_view(validation, number, size), range(len(validation.labels))
    )
    assert (novelty.score(statistics, usual) <= 1.0).mean() > 0.95
    assert novelty.score(statistics, odd).min() > np.median(novelty.score(statistics, usual))
    assert (novelty.score(statistics, odd) > 1.0).all()


def test_reads_a_view_as_serving_does(tmp_path: Path) -> None:
    reader = ViewReader(copy_release(tmp_path, NUCLEUS))
    view = plain_view(one_cell(), 0, reader.spec.input_size)
    logits, features = reader.read_all(lambda _: view, [0])
    assert logits.shape == (1, len(NAMES))
    assert features.shape == (1, 1280)


def test_a_varied_view_is_always_the_same_for_a_number() -> None:
    fold = one_cell(times=5)
    first, again, other = (varied_view(fold, number, 96) for number in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_refuses_a_release_that_does_not_frame_by_nucleus(tmp_path: Path) -> None:
    release = copy_release(tmp_path, LETTERBOX)
    fold = one_cell()
    with pytest.raises(ValueError, match="nucleus-v1"):
        fit_release(release, fold, fold, keys=[""] * len(fold.labels))


def test_chooses_examples_evenly_and_in_order() -> None:
    labels = np.array([0] * 50 + [1] * 5 + [2] * 50, dtype=np.int64)
    chosen = choose_examples(labels, 30)
    assert np.bincount(labels[chosen]).tolist() == [10, 5, 10]
    assert (np.diff(chosen) > 0).all()
