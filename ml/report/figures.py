"""Every figure of one source: over all the model's classes, and over those that occur in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import classification_report

from ml import metrics
from ml.conformal import Quantiles
from ml.report.bootstrap import interval, replicate_weights
from ml.report.coverage import examine_released, examine_sets, share
from ml.report.curves import one_against_rest, reliability, risk_coverage
from ml.report.subject import Subject
from ml.report.weighted import weighted_figures

WORST: Final = 20

Banded = tuple[float | None, list[float] | None]
"""A figure and its interval, both None where undefined."""


def examine_subject(
    subject: Subject, calibration: Subject | None, released: Quantiles | None = None
) -> dict[str, Any]:
    """The figures of a source as JSON values; sets are examined where there is calibration.

    `released` are the quantiles by which the release decides, if it does by sets.
    """
    truth = subject.truth
    occurring = np.unique(truth)
    is_partial = 1 < len(occurring) < len(subject.class_names)
    return {
        "name": subject.name,
        "margin": subject.margin,
        "cells": len(truth),
        "groups": int(subject.groups.max()) + 1,
        "left_out": subject.left_out,
        "fingerprint": subject.fingerprint,
        "note": subject.note,
        "all_classes": _view(subject.probabilities, truth, subject.groups, subject.class_names),
        "occurring_classes": _occurring(subject, occurring) if is_partial else None,
        "referral": {
            **referral_of(subject),
            "sets": examine_released(subject, released) if released else None,
        },
        "risk_coverage": risk_coverage(subject.probabilities, truth),
        "conformal": examine_sets(subject, calibration) if calibration else None,
        "errors": _errors(subject),
    }


def referral_of(subject: Subject) -> dict[str, Any]:
    """How many cells are named, and how many of these rightly."""
    is_right = subject.probabilities.argmax(axis=1) == subject.truth
    return {
        "accepted": share(subject.is_accepted),
        "accuracy_of_accepted": share(is_right[subject.is_accepted]),
    }


def _occurring(subject: Subject, occurring: NDArray[np.int64]) -> dict[str, Any]:
    """As if the model knew only the classes that occur: the others' probability is shared out."""
    kept = subject.probabilities[:, occurring].clip(1e-12)
    return _view(
        kept / kept.sum(axis=1, keepdims=True),
        np.searchsorted(occurring, subject.truth),
        subject.groups,
        [subject.class_names[index] for index in occurring],
    )


def _view(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    groups: NDArray[np.int64],
    class_names: Sequence[str],
) -> dict[str, Any]:
    """Figures of probabilities float64[N, C] against class indices int64[N]."""
    guesses = probabilities.argmax(axis=1)
    bands = _intervals(probabilities, truth, groups)
    report = metrics.evaluate(truth, guesses, class_names)
    return {
        "class_names": list(class_names),
        "accuracy": {**share(guesses == truth), "interval_95_groups": bands["accuracy"][0][1]},
        **{
            name: {"value": bands[name][0][0], "interval_95": bands[name][0][1]}
            for name in ("balanced_accuracy", "macro_f1", "auroc", "ece")
        },
        "brier": metrics.brier_score(probabilities, truth),
        "nll": metrics.negative_log_likelihood(probabilities, truth),
        "reliability": reliability(probabilities, truth, is_adaptive=False),
        "reliability_adaptive": reliability(probabilities, truth, is_adaptive=True),
        "classes": {
            name: _class_figures(index, probabilities, truth, bands)
            for index, name in enumerate(class_names)
        },
        "confusion": report.confusion.tolist(),
        "classification_report": classification_report(
            truth,
            guesses,
            labels=range(len(class_names)),
            target_names=class_names,
            digits=4,
            zero_division=0,
        ),
    }


def _class_figures(
    index: int,
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    bands: dict[str, list[Banded]],
) -> dict[str, Any]:
    guesses = probabilities.argmax(axis=1)
    is_true, is_named = truth == index, guesses == index
    return {
        "recall": share(is_named[is_true]),
        "precision": share(is_true[is_named]),
        "f1": {"value": bands["f1"][index][0], "interval_95": bands["f1"][index][1]},
        "auroc": {
            "value": bands["class_auroc"][index][0],
            "interval_95": bands["class_auroc"][index][1],
        },
        "curves": one_against_rest(probabilities[:, index], is_true),
    }


def _intervals(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], groups: NDArray[np.int64]
) -> dict[str, list[Banded]]:
    """Each figure with its group-bootstrap interval, a pair an entry; None where undefined."""
    figures = weighted_figures(probabilities, truth)
    point = figures(np.ones(len(truth)))
    drawn = [figures(weights) for weights in replicate_weights(groups)]
    found: dict[str, list[Banded]] = {}
    for name, values in point.items():
        replicates = np.stack([each[name] for each in drawn])
        found[name] = [
            (float(value), interval(replicates[:, column])) if np.isfinite(value) else (None, None)
            for column, value in enumerate(values)
        ]
    return found


def _errors(subject: Subject) -> dict[str, Any]:
    """How many cells are misnamed, and the most confident of them."""
    truth, guesses = subject.truth, subject.probabilities.argmax(axis=1)
    confidence = subject.probabilities.max(axis=1)
    wrong = np.flatnonzero(guesses != truth)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST]
    return {
        "count": len(wrong),
        "worst": [
            {
                "index": int(index),
                "key": subject.records[index].key,
                "truth": subject.class_names[truth[index]],
                "predicted": subject.class_names[guesses[index]],
                "confidence": float(confidence[index]),
                "confidence_of_truth": float(subject.probabilities[index, truth[index]]),
                "is_referred": not subject.is_accepted[index],
            }
            for index in worst
        ],
    }
