"""Kappa, alpha and class-wise agreement with limits by case, against libraries and print."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from classifier.agreement import cohen_kappa
from quality.agreement import alpha, figure_of, kappa, observed, positive


@pytest.fixture
def tables() -> np.ndarray:
    """Ten cases of thirty cells, three classes, two readers who mostly agree."""
    rng = np.random.default_rng(3)
    return rng.multinomial(30, np.array([9, 1, 0, 1, 5, 1, 0, 1, 2]) / 20, 10).reshape(-1, 3, 3)


def test_kappa_is_that_of_scikit_learn_and_of_one_study(tables: np.ndarray) -> None:
    together = tables.sum(0)
    rows, columns = np.indices((3, 3))
    first, second = (np.repeat(axis.ravel(), together.ravel()) for axis in (rows, columns))
    assert float(kappa(together)) == pytest.approx(cohen_kappa_score(first, second))
    same = cohen_kappa(together.tolist())
    assert same is not None
    assert float(kappa(together)) == pytest.approx(same.value)
    assert float(observed(together)) == pytest.approx(same.observed)


def test_positive_agreement_is_twice_both_over_all_that_either_named() -> None:
    table = np.array([[40.0, 5, 0], [9, 30, 6], [0, 0, 0]])
    assert float(positive(0)(table)) == pytest.approx(2 * 40 / (2 * 40 + 5 + 9))
    assert np.isnan(positive(2)(np.zeros((3, 3))))


def test_alpha_is_that_of_krippendorffs_example() -> None:
    """Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, 0.743."""
    observers = [
        "1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 .",
    ]  # fmt: skip
    table = np.zeros((5, 5))
    for unit in zip(*(row.split() for row in observers), strict=True):
        values = [int(value) - 1 for value in unit if value != "."]
        for one, first in enumerate(values):
            for other, second in enumerate(values):
                if one != other:
                    table[first, second] += 1 / (len(values) - 1)
    assert float(alpha(table)) == pytest.approx(0.743, abs=0.0005)


def test_limits_are_those_of_leaving_out_one_case_at_a_time(tables: np.ndarray) -> None:
    found = figure_of(kappa, tables, floor=-1.0)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    left_out = [float(kappa(np.delete(tables, case, 0).sum(0))) for case in range(10)]
    error = np.sqrt(9 / 10 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert found.high - found.value == pytest.approx(2.262157 * error)
    assert found.value - found.low == pytest.approx(2.262157 * error)


def test_too_few_cases_give_no_limits_and_one_class_alone_no_kappa(tables: np.ndarray) -> None:
    few = figure_of(kappa, tables[:4], floor=-1.0)
    assert few is not None
    assert few.value == pytest.approx(float(kappa(tables[:4].sum(0))))
    assert (few.low, few.high) == (None, None)
    assert figure_of(kappa, np.full((6, 1, 1), 20.0)) is None


def test_a_class_of_one_case_alone_has_no_limits() -> None:
    tables = np.zeros((6, 2, 2))
    tables[:, 0, 0] = 20
    tables[0, 1, 1] = 5
    found = figure_of(positive(1), tables)
    assert found is not None
    assert (found.value, found.low) == (1.0, None)


def test_cases_that_are_all_alike_give_no_limits() -> None:
    found = figure_of(observed, np.full((8, 2, 2), [[20.0, 0], [0, 5]]))
    assert found is not None
    assert (found.value, found.low, found.high) == (1.0, None, None)
