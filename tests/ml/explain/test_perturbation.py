"""LIME and Shapley values against networks whose answer is known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.explain import Network
from ml.explain.occlusion import BLUR, EMPTY, Counter, Question, covering
from ml.explain.perturbation import lime, shapley
from ml.explain.superpixels import divide, soften
from ml.synthetic import render_cell

Game = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class _Formula:
    """A network whose probability is a formula of how much of each part shows."""

    def __init__(self, game: Game, parts: NDArray[np.float32]) -> None:
        self.game, self.parts = game, parts

    def probabilities(self, views: NDArray[Any]) -> NDArray[np.float64]:
        weights = self.parts.reshape(len(self.parts), -1)
        shown = views[..., 0].reshape(len(views), -1) @ weights.T / weights.sum(axis=1)
        return self.game(shown.astype(np.float64))[:, None]


def _question(game: Game, parts: NDArray[np.float32]) -> tuple[Question, NDArray[np.float32]]:
    """A white view, covered with black: the mean over a part says how much of it shows."""
    size = parts.shape[1]
    view = np.ones((size, size, 3), dtype=np.uint8)
    network = cast("Network", _Formula(game, parts))
    return Question(network, view, 0, Counter(0)), np.zeros((size, size, 3), np.float32)


def _stripes(count: int) -> NDArray[np.float32]:
    return np.kron(np.eye(count, dtype=np.float32)[:, None], np.ones((1, 2 * count, 2), np.float32))


def _interaction(shown: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.1 + 0.4 * shown[:, 0] * shown[:, 1] + 0.3 * np.maximum(shown[:, 2], shown[:, 3])


def _exact(game: Game, count: int) -> NDArray[np.float64]:
    orders = list(permutations(range(count)))
    values = np.zeros(count)
    for order in orders:
        shown = np.zeros((count + 1, count))
        for turn, part in enumerate(order, start=1):
            shown[turn:, part] = 1.0
        values[list(order)] += np.diff(game(shown))
    return values / len(orders)


def test_shapley_values_of_a_sum_are_its_terms() -> None:
    terms = np.array([0.3, -0.1, 0.05, 0.0, 0.2])
    question, cover = _question(lambda shown: 0.2 + shown @ terms, _stripes(5))
    found = shapley(question, _stripes(5), cover, evaluations=10, seed=3)
    np.testing.assert_allclose(found.values, terms, atol=1e-6)


def test_shapley_values_come_near_the_exact_ones() -> None:
    question, cover = _question(_interaction, _stripes(4))
    found = shapley(question, _stripes(4), cover, evaluations=500, seed=3)
    np.testing.assert_allclose(found.values, _exact(_interaction, 4), atol=0.02)


def test_shapley_values_add_up_to_the_whole_less_the_cover() -> None:
    question, cover = _question(_interaction, _stripes(4))
    found = shapley(question, _stripes(4), cover, evaluations=8, seed=1)
    assert found.values.sum() == pytest.approx(found.findings["whole"] - found.findings["covered"])


def test_shapley_values_keep_to_their_budget_and_refuse_one_too_small() -> None:
    question, cover = _question(_interaction, _stripes(4))
    shapley(question, _stripes(4), cover, evaluations=100, seed=1)
    assert question.counter.done <= 100
    with pytest.raises(ValueError, match="at least 8"):
        shapley(question, _stripes(4), cover, evaluations=7, seed=1)


def test_lime_finds_the_terms_of_a_sum() -> None:
    terms = np.array([0.3, -0.1, 0.05, 0.0, 0.2])
    question, cover = _question(lambda shown: 0.2 + shown @ terms, _stripes(5))
    found = lime(question, _stripes(5), cover, samples=1000, seed=3)
    np.testing.assert_allclose(found.values, terms, atol=0.01)
    assert found.findings["fit"] > 0.99


def test_lime_owns_that_a_line_does_not_fit() -> None:
    question, cover = _question(
        lambda shown: shown.round().sum(axis=1) % 2, _stripes(6)
    )  # parity: no part alone tells anything
    assert lime(question, _stripes(6), cover, samples=500, seed=3).findings["fit"] < 0.1


def test_patches_follow_the_cell_and_cover_the_view_once() -> None:
    view = render_cell("lymphocyte", seed=2, size=128)
    labels = divide(view, 49)
    assert 40 <= labels.max() + 1 <= 49
    np.testing.assert_array_equal(labels, divide(view, 49))
    np.testing.assert_allclose(soften(labels).sum(axis=0), 1.0, atol=1e-5)
    within = np.mean([view[labels == label].std() for label in np.unique(labels)])
    squares = np.arange(128) // 19
    grid = squares[:, None] * 7 + squares[None, :]
    assert within < np.mean([view[grid == label].std() for label in np.unique(grid)])


def test_covers_with_the_empty_slide_or_with_what_is_left_of_shapes() -> None:
    view = render_cell("neutrophil", seed=2, size=128)
    empty, blurred = covering(view, EMPTY), covering(view, BLUR)
    assert np.ptp(empty, axis=(0, 1)).max() == 0
    assert empty[0, 0].min() > 180
    assert blurred.std() < 0.5 * view.std()
    assert np.abs(blurred.mean((0, 1)) - view.mean((0, 1))).max() < 6
