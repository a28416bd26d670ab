"""Published scores of novelty, to be compared on the same readings; larger is odder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import rankdata

from ml import novelty
from ml.calibration import softmax

Array = NDArray[np.float32]
_NEIGHBOURS: Final = 5
_AXES: Final = 32


@dataclass(frozen=True, slots=True)
class Readings:
    """Logits float32[N, C], features float32[N, K], blur, cut and scatter float64[N]."""

    logits: Array
    features: Array
    blur: NDArray[np.float64]
    cut: NDArray[np.float64]
    scatter: NDArray[np.float64]


Score = Callable[[Readings], NDArray[np.floating]]


def fit_scores(
    logits: Array, features: Array, labels: NDArray[np.int64], validation: Array
) -> Mapping[str, Score]:
    """Every score, its statistics fitted on training readings; `validation` float32[V, K] scales.

    Softmax and energy: Hendrycks & Gimpel, ICLR 2017; Liu et al., NeurIPS 2020. Mahalanobis: Lee
    et al., NeurIPS 2018; relative: Ren et al., 2021. kNN: Sun et al., ICML 2022. ViM: Wang et al.,
    CVPR 2022.
    """
    statistics = fit_statistics(features, validation)

    def residual(readings: Readings) -> NDArray[np.floating]:
        return novelty.score(statistics, readings.features)

    def combined(readings: Readings) -> NDArray[np.floating]:
        measures = [residual(readings), readings.blur, readings.cut, readings.scatter]
        return np.maximum.reduce(measures)

    return {
        "softmax": lambda readings: -softmax(readings.logits).max(axis=1),
        "energy": lambda readings: -logsumexp(readings.logits, axis=1),
        **_mahalanobis(features, labels),
        "kNN": _neighbours(features, labels),
        "ViM": _vim(statistics, logits, features),
        "residual": residual,
        "blur": lambda readings: readings.blur,
        "cut": lambda readings: readings.cut,
        "scatter": lambda readings: readings.scatter,
        "all four": combined,
    }


def fit_statistics(features: Array, validation: Array) -> novelty.NoveltyStatistics:
    """The statistics that a release would hold, with one example, as none is shown here."""
    return novelty.fit(
        features,
        validation,
        examples=features[:1],
        example_labels=np.zeros(1, dtype=np.int64),
        example_keys=np.array([""]),
    )


def auroc(usual: NDArray[np.floating], odd: NDArray[np.floating]) -> float:
    """Chance that a random odd picture scores above a random usual one; ties count half."""
    ranks = rankdata(np.concatenate([usual, odd]))[len(usual) :]
    return float((ranks.sum() - len(odd) * (len(odd) + 1) / 2) / (len(usual) * len(odd)))


def auroc_interval(
    usual: NDArray[np.floating], odd: NDArray[np.floating], *, rounds: int = 400
) -> tuple[float, float]:
    """95 % interval by resampling both sides."""
    rng = np.random.default_rng(0)
    values = [
        auroc(rng.choice(usual, len(usual)), rng.choice(odd, len(odd))) for _ in range(rounds)
    ]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _mahalanobis(features: Array, labels: NDArray[np.int64]) -> dict[str, Score]:
    """Distance to the nearest class, and the same less the distance to all cells."""
    mean = features.mean(axis=0)
    axes = np.linalg.eigh(np.cov((features - mean).T))[1][:, ::-1][:, :_AXES]
    placed = (features - mean) @ axes
    centres = np.stack([placed[labels == label].mean(axis=0) for label in np.unique(labels)])
    row_of = np.searchsorted(np.unique(labels), labels)
    within = np.linalg.inv(np.cov((placed - centres[row_of]).T))
    overall = np.linalg.inv(np.cov(placed.T))

    def to_class(readings: Readings) -> NDArray[np.floating]:
        spot = (readings.features - mean) @ axes
        return np.min([_squared(spot - centre, within) for centre in centres], axis=0)

    def relative(readings: Readings) -> NDArray[np.floating]:
        spot = (readings.features - mean) @ axes
        return np.asarray(to_class(readings) - _squared(spot, overall))

    return {"Mahalanobis": to_class, "relative M.": relative}


def _squared(rows: NDArray[np.floating], precision: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(np.einsum("nd,de,ne->n", rows, precision, rows, optimize=True))


def _neighbours(features: Array, labels: NDArray[np.int64]) -> Score:
    """Distance to the fifth of 125 training cells a class, features brought to length 1."""
    rng = np.random.default_rng(0)
    chosen = [rng.permutation(np.flatnonzero(labels == each))[:125] for each in np.unique(labels)]
    bank = _unit(features[np.concatenate(chosen)])

    def distance(readings: Readings) -> NDArray[np.floating]:
        likeness = np.sort(_unit(readings.features) @ bank.T, axis=1)
        return np.asarray(1.0 - likeness[:, -_NEIGHBOURS])

    return distance


def _vim(statistics: novelty.NoveltyStatistics, logits: Array, features: Array) -> Score:
    """Residual length as one more logit, brought to the scale of the largest."""

    def length(rows: Array) -> NDArray[np.floating]:
        spread = statistics.limit - statistics.typical
        squared = novelty.score(statistics, rows) * spread + statistics.typical
        return np.sqrt(np.maximum(squared, 0.0))

    weight = float(logits.max(axis=1).mean() / length(features).mean())
    return lambda readings: weight * length(readings.features) - logsumexp(readings.logits, axis=1)


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
