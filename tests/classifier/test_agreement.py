"""The statistics of agreement, against scikit-learn, SciPy and published figures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score, confusion_matrix, recall_score

from classifier import agreement

CLASSES = ["neutrophil", "lymphocyte", "monocyte", "eosinophil"]
names = st.sampled_from(CLASSES)
pairs_of_names = st.lists(st.tuples(names, names), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(pairs_of_names)
def test_confusion_kappa_and_recall_are_those_of_scikit_learn(
    pairs: list[tuple[str, str]],
) -> None:
    first, second = [one for one, _ in pairs], [two for _, two in pairs]
    matrix = agreement.confusion(pairs, CLASSES)
    assert np.array_equal(matrix, confusion_matrix(first, second, labels=CLASSES))
    kappa = agreement.cohen_kappa(matrix)
    if kappa is None:
        assert len({*first, *second}) == 1
    else:
        expected = cohen_kappa_score(first, second, labels=CLASSES)
        assert kappa.value == pytest.approx(expected, abs=1e-12)
        assert kappa.low <= kappa.value <= kappa.high
    for name in set(first):
        found = agreement.detection(pairs, name).sensitivity
        assert found is not None
        recall = recall_score(first, second, labels=[name], average=None)[0]
        assert found.value == pytest.approx(recall)


@settings(max_examples=40, deadline=None)
@given(pairs_of_names, names)
def test_specificity_counts_the_others(pairs: list[tuple[str, str]], name: str) -> None:
    found = agreement.detection(pairs, name).specificity
    others = [method for reference, method in pairs if reference != name]
    if not others:
        assert found is None
        return
    assert found is not None
    exact = stats.binomtest(len(others) - others.count(name), len(others)).proportion_ci(0.95)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert found.n == len(others)


def test_the_error_of_kappa_is_that_of_the_textbook() -> None:
    """Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, table 18.1."""
    kappa = agreement.cohen_kappa([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    assert kappa is not None
    assert kappa.value == pytest.approx(0.676, abs=0.001)
    assert (kappa.high - kappa.low) / (2 * agreement.Z) == pytest.approx(0.088, abs=0.001)


def test_the_interval_of_kappa_covers_what_it_says() -> None:
    rng = np.random.default_rng(8)
    truth = np.array([[50, 4, 3], [5, 20, 2], [2, 3, 11]]) / 100
    population = agreement.cohen_kappa((10_000 * truth).astype(int).tolist())
    assert population is not None
    draws = rng.multinomial(200, truth.ravel(), size=2000).reshape(-1, 3, 3)
    found = [agreement.cohen_kappa(draw.tolist()) for draw in draws]
    covered = sum(one is not None and one.low <= population.value <= one.high for one in found)
    assert 0.93 <= covered / len(found) <= 0.97


@pytest.mark.parametrize(
    ("percent", "n", "half"),
    [(5, 200, 3.02), (5, 400, 2.14), (30, 200, 6.35), (30, 400, 4.49), (60, 200, 6.79)],
)
def test_limits_have_the_half_widths_of_the_standard(percent: float, n: int, half: float) -> None:
    low, high = agreement.reference_limits(percent, n)
    assert (high - low) / 2 == pytest.approx(half, abs=0.005)
    assert 1.96 * agreement.standard_error(percent, n) == pytest.approx(half, abs=0.005)


def test_limits_end_where_percentages_end() -> None:
    assert agreement.reference_limits(0.5, 200)[0] == 0
    assert agreement.reference_limits(100, 200) == (100, 100)
    with pytest.raises(ValueError):
        agreement.standard_error(5, 0)


def test_the_line_is_the_principal_axis_of_the_points() -> None:
    rng = np.random.default_rng(3)
    x = np.array([55.0, 30, 8, 4, 1, 2])
    y = 0.9 * x + 2 + rng.normal(0, 1, 6)
    line = agreement.deming(list(zip(x.tolist(), y.tolist(), strict=True)))
    assert line is not None
    centred = np.stack([x - x.mean(), y - y.mean()])
    [_, (along_x, along_y)] = np.linalg.eigh(np.cov(centred))[1].T
    slope = along_y / along_x
    assert line.slope == pytest.approx(slope)
    assert line.intercept == pytest.approx(y.mean() - slope * x.mean())


@pytest.mark.parametrize("points", [[], [(1.0, 1.0), (2.0, 2.0)], [(1.0, 3.0)] * 4])
def test_no_line_without_points_that_vary(points: list[tuple[float, float]]) -> None:
    assert agreement.deming(points) is None


def test_nothing_counted_has_no_agreement() -> None:
    assert agreement.cohen_kappa([[0, 0], [0, 0]]) is None
    assert agreement.percent_agreement([[0, 0], [0, 0]]) is None
    assert agreement.cohen_kappa([[7, 0], [0, 0]]) is None
    with pytest.raises(ValueError):
        agreement.confusion([("neutrophil", "blast")], CLASSES)


def test_readers_who_always_agree() -> None:
    kappa = agreement.cohen_kappa([[5, 0], [0, 7]])
    assert kappa is not None
    assert (kappa.value, kappa.low, kappa.high) == (1, 1, 1)
    found = agreement.percent_agreement([[5, 0], [0, 7]])
    assert found is not None
    assert (found.value, found.n, found.high) == (1, 12, 1)
