"""The figures that tell a shift from chance."""

import numpy as np
import pytest

from quality.drift import LEAST, SHIFTED, mean_discrepancy, population_stability


def numbers(seed: int, count: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1.0, count)


def test_the_psi_is_that_of_its_definition() -> None:
    """By hand: 50/50 against 25/75, half a value added to these and to two empty bins."""
    reference = np.repeat([0.0, 1.0], 500)
    sample = np.repeat([0.0, 1.0], [250, 750])
    shift = population_stability(reference, sample)
    assert shift is not None
    p, q = np.array([500.5, 500.5]) / 1002, np.array([250.5, 750.5]) / 1002
    assert shift.value == pytest.approx(float(np.sum((q - p) * np.log(q / p))))
    assert shift.value == pytest.approx(0.274, abs=0.002)
    assert shift.is_shift


def test_samples_of_one_population_are_rarely_called_shifted() -> None:
    called = [
        shift.is_shift
        for seed in range(400)
        if (shift := population_stability(numbers(seed, 300), numbers(seed + 1000, 60)))
    ]
    assert len(called) == 400
    assert sum(called) <= 4


def test_a_shift_of_one_deviation_is_called() -> None:
    shift = population_stability(numbers(1, 300), numbers(2, 80, mean=1.0))
    assert shift is not None
    assert shift.is_shift
    assert shift.limit >= SHIFTED


def test_too_few_values_say_nothing() -> None:
    few, many = numbers(1, LEAST - 1), numbers(2, 200)
    assert population_stability(many, few) is None
    assert population_stability(few, many) is None
    assert mean_discrepancy(many[:, None], few[:, None]) is None


def test_values_that_are_all_alike_can_be_compared() -> None:
    same = population_stability(np.ones(100), np.ones(100))
    assert same is not None
    assert not same.is_shift
    other = population_stability(np.ones(100), np.zeros(100))
    assert other is not None
    assert other.is_shift


def vectors(seed: int, count: int, turn: float = 0.0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    found = chance.normal(size=(count, 16)) + np.eye(16)[0] * (2 + turn)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_embeddings_of_one_population_lie_together_and_of_two_apart() -> None:
    reference = vectors(1, 300)
    same = [mean_discrepancy(reference, vectors(seed, 120)) for seed in range(2, 22)]
    assert sum(shift is not None and shift.is_shift for shift in same) <= 1
    apart = mean_discrepancy(reference, vectors(50, 120, turn=1.5))
    assert apart is not None
    assert apart.is_shift


def test_the_discrepancy_is_that_of_all_pairs() -> None:
    first, second = vectors(1, 60), vectors(2, 70, turn=1)
    shift = mean_discrepancy(first, second)
    together = np.concatenate([first, second])
    squared = ((together[:, None] - together[None]) ** 2).sum(-1)
    kernel = np.exp(-squared / np.median(squared[np.triu_indices(130, 1)]))
    one, two, cross = kernel[:60, :60], kernel[60:, 60:], kernel[:60, 60:]
    expected = (one.sum() - 60) / (60 * 59) + (two.sum() - 70) / (70 * 69) - 2 * cross.mean()
    assert shift is not None
    assert shift.value == pytest.approx(expected)
