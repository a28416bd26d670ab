"""Temperature and the threshold below which a human must look."""

from __future__ import annotations

import numpy as np
import pytest

from ml.calibration import MIN_THRESHOLD, fit_temperature, referral_threshold, softmax


def test_softmax_rows_sum_to_one_even_for_huge_logits() -> None:
    probabilities = softmax(np.array([[1e4, 0.0], [-1e4, 3.0]]))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_finds_the_temperature_that_made_the_logits_wrong(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, size=(20_000, 5))
    truth = (softmax(logits).cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    assert fit_temperature(logits * temperature, truth) == pytest.approx(temperature, rel=0.05)


def test_threshold_keeps_the_error_of_accepted_cells_within_bounds() -> None:
    rng = np.random.default_rng(2)
    confidence = rng.uniform(0.5, 1.0, 5000)
    probabilities = np.column_stack([confidence, 1 - confidence])
    truth = (rng.random(5000) > confidence**0.3).astype(int)
    threshold = referral_threshold(probabilities, truth, max_error=0.05)
    accepted = confidence >= threshold
    assert 0.0 < truth[accepted].mean() <= 0.05
    looser = confidence >= threshold - 0.05
    assert truth[looser].mean() > 0.05


def test_threshold_is_never_below_one_half() -> None:
    probabilities = np.tile([0.4, 0.3, 0.3], (50, 1))
    assert referral_threshold(probabilities, np.zeros(50, dtype=int)) == MIN_THRESHOLD


def test_refers_everything_when_no_confidence_is_good_enough() -> None:
    probabilities = np.tile([0.9, 0.1], (50, 1))
    assert referral_threshold(probabilities, np.ones(50, dtype=int)) == 1.0
