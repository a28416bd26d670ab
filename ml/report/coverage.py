"""Conformal sets under examination: do they hold the truth as often as promised, and how large?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.conformal import SCORES, Quantiles, Score, fit, prediction_set
from ml.metrics import clopper_pearson
from ml.report.subject import Subject

ALPHAS: Final[tuple[float, ...]] = (0.01, 0.05, 0.1)


def examine_sets(subject: Subject, calibration: Subject) -> list[dict[str, Any]]:
    """Coverage and size at each alpha, score and kind, with quantiles from `calibration`.

    Where the two are the same cells, quantiles come from one half of the groups and are examined
    on the other, and the other way round, so that nothing is examined on what fitted it.
    """
    return [
        _examine(subject, calibration, score, alpha, by_class=by_class)
        for score in SCORES
        for by_class in (False, True)
        for alpha in ALPHAS
    ]


def _examine(
    subject: Subject, calibration: Subject, score: Score, alpha: float, *, by_class: bool
) -> dict[str, Any]:
    sets = np.zeros(subject.probabilities.shape, dtype=bool)
    for fitted, examined in _parts(subject, calibration):
        quantiles = fit(
            calibration.probabilities[fitted], calibration.truth[fitted], alpha, score=score
        )
        sets[examined] = prediction_set(
            subject.probabilities[examined], _threshold(quantiles, by_class), score=score
        )
    return {
        "score": score,
        "by_class": by_class,
        "alpha": alpha,
        "is_cross_fitted": subject.fingerprint == calibration.fingerprint,
        **_figures(sets, subject),
    }


def _threshold(quantiles: Quantiles, by_class: bool) -> float | NDArray[np.float64]:  # noqa: FBT001
    return quantiles.class_thresholds() if by_class else quantiles.marginal


def _parts(
    subject: Subject, calibration: Subject
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Which cells fit the quantiles and which are then examined, bool[N] each."""
    if subject.fingerprint != calibration.fingerprint:
        yield np.ones(len(calibration.records), bool), np.ones(len(subject.records), bool)
        return
    groups = subject.groups
    halves = np.random.default_rng(0).permutation(int(groups.max()) + 1) % 2
    is_first = halves[groups] == 0
    yield is_first, ~is_first
    yield ~is_first, is_first


def _figures(sets: NDArray[np.bool_], subject: Subject) -> dict[str, Any]:
    sizes, truth = sets.sum(axis=1), subject.truth
    held = sets[np.arange(len(truth)), truth]
    return {
        "coverage": share(held),
        "mean_size": float(sizes.mean()),
        "single": share(sizes == 1),
        "empty": share(sizes == 0),
        "classes": {
            name: share(held[truth == index])
            for index, name in enumerate(subject.class_names)
            if (truth == index).any()
        },
    }


def examine_released(subject: Subject, quantiles: Quantiles) -> dict[str, Any]:
    """How often the sets by which a release decides hold the truth, one class, or none."""
    sets = prediction_set(
        subject.probabilities, quantiles.class_thresholds(), score=quantiles.score
    )
    truth = subject.truth
    held, sizes = sets[np.arange(len(truth)), truth], sets.sum(axis=1)

    def figures(chosen: NDArray[np.bool_]) -> dict[str, Any]:
        return {
            "coverage": share(held[chosen]),
            "single": share(sizes[chosen] == 1),
            "empty": share(sizes[chosen] == 0),
        }

    return {
        "score": quantiles.score,
        "alpha": quantiles.alpha,
        **figures(np.ones(len(truth), dtype=bool)),
        "classes": {
            name: figures(truth == index)
            for index, name in enumerate(subject.class_names)
            if (truth == index).any()
        },
    }


def share(is_hit: NDArray[np.bool_]) -> dict[str, Any]:
    """A proportion with its exact interval, as on the card; those of an empty one are null."""
    hits, total = int(is_hit.sum()), len(is_hit)
    return {
        "value": hits / total if total else None,
        "hits": hits,
        "n": total,
        "interval_95": list(clopper_pearson(hits, total)) if total else None,
    }
