"""Conformal sets cover what they promise on exchangeable cells, and say when they cannot."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom

from ml.conformal import ALWAYS, SCORES, Quantiles, Score, fit, prediction_set, scores
from ml.errors import DatasetError


def draw(
    rng: np.random.Generator, count: int, classes: int = 4
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities of a classifier that is too sure of itself, and the truth."""
    honest = rng.dirichlet(np.full(classes, 0.4), size=count)
    labels = (rng.random((count, 1)) > np.cumsum(honest, axis=1)).sum(axis=1).clip(max=classes - 1)
    sharp = honest**1.7 + 1e-9
    return sharp / sharp.sum(axis=1, keepdims=True), labels


def test_takes_the_corrected_rank() -> None:
    truth = np.linspace(0.1, 1.0, 10)
    probabilities = np.column_stack([truth, 1.0 - truth])
    found = fit(probabilities, np.zeros(10, dtype=np.int64), 0.2)
    assert found.marginal == pytest.approx(np.sort(1.0 - truth)[8])  # ceil(11 * 0.8) = 9th
    assert found.per_class == (found.marginal, None)
    assert found.class_counts == (10, 0)


def test_too_few_cells_keep_every_class() -> None:
    found = fit(np.array([[0.9, 0.1]]), np.array([0]), 0.1)
    assert found.marginal == ALWAYS
    assert prediction_set(np.array([[1.0, 0.0]]), found.class_thresholds()).all()


def test_a_sure_classifier_keeps_one_class() -> None:
    probabilities = np.tile([1.0, 0.0], (20, 1))
    found = fit(probabilities, np.zeros(20, dtype=np.int64), 0.1)
    assert prediction_set(probabilities, found.marginal).sum(axis=1).tolist() == [1] * 20


def test_adaptive_score_adds_up_the_likelier_classes() -> None:
    found = scores(np.array([[0.2, 0.5, 0.3]]), "aps")
    np.testing.assert_allclose(found, [[1.0, 0.5, 0.8]])


def test_refuses_what_promises_nothing() -> None:
    with pytest.raises(DatasetError, match="none"):
        fit(np.empty((0, 3)), np.empty(0, dtype=np.int64), 0.1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit(np.ones((1, 1)), np.array([0]), 1.0)


def test_survives_json() -> None:
    probabilities, labels = draw(np.random.default_rng(1), 40)
    found = fit(probabilities, labels, 0.1, score="aps")
    assert Quantiles.from_dict(json.loads(json.dumps(found.as_dict()))) == found


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**20),
    count=st.integers(60, 400),
    alpha=st.sampled_from([0.05, 0.1, 0.2]),
    score=st.sampled_from(SCORES),
)
def test_covers_exchangeable_cells(seed: int, count: int, alpha: float, score: Score) -> None:
    """Coverage given one calibration set is Beta distributed; averaged over 60 it is tight."""
    rng = np.random.default_rng(seed)
    fresh = 50
    held = 0
    for _ in range(60):
        probabilities, labels = draw(rng, count + fresh)
        found = fit(probabilities[:count], labels[:count], alpha, score=score)
        sets = prediction_set(probabilities[count:], found.marginal, score=score)
        held += int(sets[np.arange(fresh), labels[count:]].sum())
    # Cells that share a calibration set vary together: allow for it with a tenth of their number.
    effective = 60 * fresh // 10
    assert held / (60 * fresh) >= binom.ppf(1e-6, effective, 1 - alpha) / effective


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**20))
def test_class_thresholds_cover_each_class(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held, total = np.zeros(4), np.zeros(4)
    for _ in range(40):
        probabilities, labels = draw(rng, 500)
        found = fit(probabilities[:300], labels[:300], 0.1)
        sets = prediction_set(probabilities[300:], found.class_thresholds())
        held += np.bincount(labels[300:], sets[np.arange(200), labels[300:]], minlength=4)
        total += np.bincount(labels[300:], minlength=4)
    effective = total // 10
    assert (held / total >= binom.ppf(1e-6, effective, 0.9) / effective).all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**20), score=st.sampled_from(SCORES))
def test_a_smaller_alpha_never_shrinks_a_set(seed: int, score: Score) -> None:
    probabilities, labels = draw(np.random.default_rng(seed), 120)
    strict = fit(probabilities, labels, 0.02, score=score).marginal
    loose = fit(probabilities, labels, 0.2, score=score).marginal
    small = prediction_set(probabilities, loose, score=score)
    assert (small <= prediction_set(probabilities, strict, score=score)).all()
