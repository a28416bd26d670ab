"""Our figures against scikit-learn's and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn import metrics as reference

from ml import metrics

NAMES = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def guesses() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rng = np.random.default_rng(3)
    truth = rng.integers(4, size=500)
    guess = np.where(rng.random(500) < 0.7, truth, rng.integers(4, size=500))
    return truth, guess


def test_report_agrees_with_scikit_learn(
    guesses: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    truth, guess = guesses
    report = metrics.evaluate(truth, guess, NAMES)
    precision, recall, f1, support = reference.precision_recall_fscore_support(truth, guess)
    assert report.accuracy.value == pytest.approx(reference.accuracy_score(truth, guess))
    assert report.balanced_accuracy == pytest.approx(
        reference.balanced_accuracy_score(truth, guess)
    )
    assert report.macro_f1 == pytest.approx(reference.f1_score(truth, guess, average="macro"))
    np.testing.assert_array_equal(report.confusion, reference.confusion_matrix(truth, guess))
    for index, figures in enumerate(report.classes):
        assert figures.recall.value == pytest.approx(recall[index])
        assert figures.precision.value == pytest.approx(precision[index])
        assert figures.f1 == pytest.approx(f1[index])
        assert figures.recall.total == support[index]


@pytest.mark.parametrize(("hits", "total"), [(0, 10), (10, 10), (3, 17), (962, 1000), (0, 1)])
def test_intervals_agree_with_scipy(hits: int, total: int) -> None:
    expected = binomtest(hits, total).proportion_ci(0.95, method="exact")
    assert metrics.clopper_pearson(hits, total) == pytest.approx((expected.low, expected.high))


def test_an_empty_share_has_the_whole_range_as_interval() -> None:
    assert metrics.clopper_pearson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="not a share"):
        metrics.clopper_pearson(3, 2)


def test_a_class_that_never_occurs_does_not_spoil_the_balanced_accuracy() -> None:
    report = metrics.evaluate(np.array([0, 0, 1]), np.array([0, 0, 1]), NAMES)
    assert report.balanced_accuracy == 1.0


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.tile([0.8, 0.2], (100, 1))
    truth = np.array([0] * 60 + [1] * 40)
    assert metrics.expected_calibration_error(probabilities, truth) == pytest.approx(0.2)


def test_brier_score_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    positive = rng.random(200)
    truth = rng.integers(2, size=200)
    probabilities = np.column_stack([1 - positive, positive])
    expected = 2 * reference.brier_score_loss(truth, positive)
    assert metrics.brier_score(probabilities, truth) == pytest.approx(expected)
