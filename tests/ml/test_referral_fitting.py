"""The miscoverage is chosen on validation cells, by a stated rule, and checked on halves."""

from __future__ import annotations

import numpy as np
import pytest

from ml.conformal import fit
from ml.errors import DatasetError
from ml.metrics import Share
from ml.referral_fitting import ReadCells, Trial, choose, count_confusion, try_out


@pytest.fixture
def cells() -> ReadCells:
    """600 cells of three classes; the third is often taken for the second."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, 600)
    sharpness = np.array([6.0, 5.0, 2.0])[labels]
    logits = rng.normal(0, 1, (600, 3))
    logits[np.arange(600), labels] += sharpness
    logits[labels == 2, 1] += 1.0
    powers = np.exp(logits)
    groups = np.arange(600) // 2
    return ReadCells(
        powers / powers.sum(axis=1, keepdims=True), rng.random(600) < 0.02, labels, groups
    )


def test_counts_what_is_referred_and_what_is_misnamed(cells: ReadCells) -> None:
    quantiles = fit(cells.probabilities, cells.labels, 0.1)
    trial = try_out(cells, quantiles)
    matrix = np.array(count_confusion(cells, quantiles))
    assert matrix.sum() == trial.error.total == 600 - trial.referred.hits
    assert matrix.sum() - np.trace(matrix) == trial.error.hits
    assert trial.cross_referred == pytest.approx(trial.referred.value, abs=0.1)
    assert [each.total for each in trial.single] == np.bincount(cells.labels).tolist()


def test_odd_cells_are_in_no_confusion(cells: ReadCells) -> None:
    odd = ReadCells(cells.probabilities, np.ones(600, dtype=bool), cells.labels, cells.groups)
    quantiles = fit(cells.probabilities, cells.labels, 0.1)
    assert np.sum(count_confusion(odd, quantiles)) == 0
    assert try_out(odd, quantiles).referred.value == 1.0


def trial(alpha: float, referred: int, wrong: int) -> Trial:
    return Trial(alpha, Share(referred, 1000), Share(wrong, 1000 - referred), (), 0.0, 0.0)


def test_chooses_the_fewest_referred_of_those_that_misname_few() -> None:
    trials = [trial(0.1, 100, 2), trial(0.07, 70, 4), trial(0.05, 50, 6), trial(0.01, 600, 0)]
    assert choose(trials).alpha == 0.07


def test_refers_everything_rather_than_misname_too_many() -> None:
    assert choose([trial(0.1, 100, 9), trial(0.005, 1000, 0)]).alpha == 0.005
    with pytest.raises(DatasetError, match="No miscoverage"):
        choose([trial(0.1, 100, 9)])
