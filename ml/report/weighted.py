"""Figures of weighted cells, fast enough to work out a thousand times for the bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

ECE_BINS: Final = 15

Figures = Mapping[str, NDArray[np.float64]]


def weighted_figures(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64]
) -> Callable[[NDArray[np.float64]], Figures]:
    """Prepare what weights do not change; the result maps weights float64[N] to figures.

    `accuracy`, `balanced_accuracy`, `macro_f1`, `auroc` (macro) and `ece` are float64[1];
    `f1` and `class_auroc` float64[C]. Means are over the classes that carry weight.
    """
    classes = probabilities.shape[1]
    guesses = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    gaps = (guesses == truth) - confidence
    bins = np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    ranks = [np.unique(column, return_inverse=True)[1] for column in probabilities.T]

    def figures(weights: NDArray[np.float64]) -> Figures:
        confusion = np.bincount(truth * classes + guesses, weights, minlength=classes**2)
        found = _from_confusion(confusion.reshape(classes, classes))
        areas = np.array([auroc(ranks[index], truth == index, weights) for index in range(classes)])
        error = np.abs(np.bincount(bins, weights * gaps)).sum() / weights.sum()
        return {
            **found,
            "class_auroc": areas,
            "auroc": np.array([_mean(areas)]),
            "ece": np.array([error]),
        }

    return figures


def auroc(
    ranks: NDArray[np.int64], is_positive: NDArray[np.bool_], weights: NDArray[np.float64]
) -> float:
    """Area under the ROC curve of scores given by dense rank; NaN without both sides.

    The chance that a positive outranks a negative, ties counting half (Hanley & McNeil, Radiology
    1982;143:29).
    """
    positive = np.bincount(ranks, weights * is_positive)
    negative = np.bincount(ranks, weights * ~is_positive)
    total = positive.sum() * negative.sum()
    if not total:
        return float("nan")
    return float((positive * (np.cumsum(negative) - negative / 2)).sum() / total)


def _from_confusion(confusion: NDArray[np.number]) -> dict[str, NDArray[np.float64]]:
    hits, true, named = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    occurs = true > 0
    mentions = true + named
    f1 = np.divide(2 * hits, mentions, out=np.full(len(hits), np.nan), where=mentions > 0)
    return {
        "accuracy": np.array([hits.sum() / confusion.sum()]),
        "balanced_accuracy": np.array([(hits[occurs] / true[occurs]).mean()]),
        "macro_f1": np.array([f1[occurs].mean()]),
        "f1": f1,
    }


def _mean(values: NDArray[np.float64]) -> float:
    found = values[np.isfinite(values)]
    return float(found.mean()) if len(found) else float("nan")
