"""LIME and Shapley values over patches of a view, from batched forward passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.explain.occlusion import Question

KERNEL_WIDTH: Final = 0.25
"""Width of LIME's kernel for pictures, in cosine distance, as in the authors' own program."""

_RIDGE: Final = 1.0


@dataclass(frozen=True, slots=True)
class PartValues:
    """What each part adds to the probability, float64[M], and how far to trust it."""

    values: NDArray[np.float64]
    findings: dict[str, float]


def lime(
    question: Question,
    parts: NDArray[np.float32],
    cover: NDArray[np.float32],
    *,
    samples: int,
    seed: int,
) -> PartValues:
    """Coefficients of a local linear model (Ribeiro et al., KDD 2016) of the probability.

    Half the parts, at random, are covered in each of `samples` views; the first shows all. Views
    weigh by exp(-D^2 / width^2)^(1/2) of their cosine distance D from the whole. `fit` is the
    weighted R^2: near 0 the coefficients say nothing.
    """
    shown = np.random.default_rng(seed).random((samples, len(parts))) < 0.5
    shown[0] = True
    answers = question.ask_parts(shown, parts, cover)
    distance = 1.0 - np.sqrt(shown.mean(axis=1))
    weights = np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2))
    values, fit = _ridge(shown.astype(np.float64), answers, weights)
    return PartValues(values, {"fit": fit})


def _ridge(
    shown: NDArray[np.float64], answers: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Coefficients float64[M] of a weighted ridge with a free intercept, and its weighted R^2."""
    total = weights.sum()
    rows, target = shown - weights @ shown / total, answers - weights @ answers / total
    penalty = _RIDGE * np.eye(rows.shape[1])
    values = np.linalg.solve((rows.T * weights) @ rows + penalty, (rows.T * weights) @ target)
    spread, left = weights @ target**2, weights @ (target - rows @ values) ** 2
    return values, float(1.0 - left / spread) if spread > 0 else 1.0


def shapley(
    question: Question,
    parts: NDArray[np.float32],
    cover: NDArray[np.float32],
    *,
    evaluations: int,
    seed: int,
) -> PartValues:
    """Shapley values of the probability by permutation sampling, with at most `evaluations` passes.

    Strumbelj and Kononenko (2014): uncover the parts in random order, and credit each with the
    rise at its turn; every order is also walked backwards (antithetic, Mitchell et al., JMLR
    2022). The values add up exactly to the probability of the whole less that of the cover.
    `error` is the mean standard error of a value. Raises ValueError below 2 M evaluations.
    """
    pairs = (evaluations - 2) // (2 * (len(parts) - 1))
    if pairs < 1:
        raise ValueError(f"{len(parts)} parts need at least {2 * len(parts)} evaluations.")
    orders = _orders(len(parts), pairs, seed)
    shown = _uncover(orders)
    ends = np.stack([np.zeros(len(parts), dtype=np.bool_), np.ones(len(parts), dtype=np.bool_)])
    answers = question.ask_parts(np.concatenate([ends, shown]), parts, cover)
    walks = answers[2:].reshape(len(orders), -1)
    bottom, top = np.full((len(orders), 1), answers[0]), np.full((len(orders), 1), answers[1])
    rises = np.diff(np.hstack([bottom, walks, top]), axis=1)
    shares = np.empty_like(rises)
    np.put_along_axis(shares, orders, rises, axis=1)
    return PartValues(
        shares.mean(axis=0),
        {"covered": float(answers[0]), "whole": float(answers[1]), "error": _error(shares)},
    )


def _orders(parts: int, pairs: int, seed: int) -> NDArray[np.int64]:
    """Random orders int64[2 * pairs, parts], each followed by its reverse."""
    rng = np.random.default_rng(seed)
    forwards = np.stack([rng.permutation(parts) for _ in range(pairs)])
    return np.asarray(np.stack([forwards, forwards[:, ::-1]], axis=1).reshape(-1, parts))


def _uncover(orders: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The coalitions on the way, bool[orders * (M - 1), M]; the empty and the full one left out."""
    count, parts = orders.shape
    turn = np.argsort(orders, axis=1)
    steps = np.arange(parts - 1)
    return np.asarray(
        (turn[:, None, :] <= steps[None, :, None]).reshape(count * (parts - 1), parts)
    )


def _error(shares: NDArray[np.float64]) -> float:
    """Mean standard error over the parts; a pair of orders counts as one draw. 0 for one pair."""
    draws = shares.reshape(-1, 2, shares.shape[1]).mean(axis=1)
    if len(draws) < 2:
        return 0.0
    return float((draws.std(axis=0, ddof=1) / np.sqrt(len(draws))).mean())
