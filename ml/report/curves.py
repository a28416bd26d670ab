"""Curves of an evaluation: ROC, precision-recall, reliability and risk against coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from ml.report.weighted import ECE_BINS

_POINTS: Final = 200
"""A curve is thinned to about so many points, which no eye can tell from all."""


def one_against_rest(
    scores: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> dict[str, Any] | None:
    """ROC and precision-recall curves of one class, and average precision; None if one-sided."""
    if not 0 < is_positive.sum() < len(is_positive):
        return None
    false, true, _ = roc_curve(is_positive, scores)
    precision, recall, _ = precision_recall_curve(is_positive, scores, drop_intermediate=True)
    return {
        "average_precision": float(average_precision_score(is_positive, scores)),
        "roc": {"false_positive_rate": _thin(false), "true_positive_rate": _thin(true)},
        "precision_recall": {"recall": _thin(recall), "precision": _thin(precision)},
    }


def reliability(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], *, is_adaptive: bool
) -> dict[str, Any]:
    """Confidence against accuracy in 15 bins, of equal width or equal count, and the ECE.

    Equal width: Guo et al., ICML 2017. Equal count, kinder where confidence crowds near 1: Nguyen
    & O'Connor, EMNLP 2015; Nixon et al., CVPR Workshops 2019.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    if is_adaptive:
        parts = np.array_split(np.argsort(confidence, kind="stable"), ECE_BINS)
    else:
        bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
        parts = [np.flatnonzero(bins == number) for number in range(ECE_BINS)]
    rows = [
        {
            "count": len(part),
            "confidence": float(confidence[part].mean()),
            "accuracy": float(correct[part].mean()),
        }
        for part in parts
        if len(part)
    ]
    return {"bins": rows, "ece": _gap(rows, len(truth))}


def risk_coverage(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> dict[str, Any]:
    """Error among the k most confident cells for every k, and its mean, the AURC.

    Geifman & El-Yaniv, NeurIPS 2017; Geifman, Uziel & El-Yaniv, ICLR 2019. Cells of equal
    confidence are accepted together and share the error of their run.
    """
    confidence = probabilities.max(axis=1)
    wrong = (probabilities.argmax(axis=1) != truth).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    accepted = np.arange(1, len(order) + 1)
    last = np.searchsorted(-ordered, -ordered, side="right")
    risk = np.cumsum(wrong[order])[last - 1] / last
    return {
        "aurc": float(risk.mean()),
        "coverage": _thin(accepted / len(order)),
        "risk": _thin(risk),
        "at_risk": {
            name: _coverage_at(risk, last, limit)
            for name, limit in (("0.5 %", 0.005), ("1 %", 0.01), ("2 %", 0.02), ("5 %", 0.05))
        },
    }


def _coverage_at(risk: NDArray[np.float64], last: NDArray[np.int64], limit: float) -> float:
    """Largest share that can be accepted at no more than this error."""
    good = np.flatnonzero(risk <= limit)
    return float(last[good[-1]] / len(risk)) if len(good) else 0.0


def _gap(rows: Sequence[Mapping[str, float]], total: int) -> float:
    return sum(abs(row["accuracy"] - row["confidence"]) * row["count"] for row in rows) / total


def _thin(values: NDArray[np.float64]) -> list[float]:
    """About 200 of the points, first and last among them, rounded."""
    picked = np.unique(np.linspace(0, len(values) - 1, _POINTS).round().astype(int))
    return [round(float(value), 5) for value in values[picked]]
