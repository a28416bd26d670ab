"""Examine a classifier on labelled cells, of its own laboratory and of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.inference import CellClassifier
from ml.strangers import PBC_MARGIN, cut_all, read_bccd_cells

MARGINS: Final[tuple[float, ...]] = (1.3, 1.7, PBC_MARGIN)
"""Framings tried on strangers: tight, medium, and that of the training set."""


@dataclass(frozen=True, slots=True)
class Examination:
    """Figures of one set of cells, and what referral does to them."""

    report: metrics.Report
    accepted: metrics.Share
    correct_of_accepted: metrics.Share
    calibration_error: float
    brier: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "accuracy": self.report.accuracy.as_dict(),
            "balanced_accuracy": round(self.report.balanced_accuracy, 5),
            "macro_f1": round(self.report.macro_f1, 5),
            "expected_calibration_error": round(self.calibration_error, 5),
            "brier": round(self.brier, 5),
            "accepted": self.accepted.as_dict(),
            "accuracy_of_accepted": self.correct_of_accepted.as_dict(),
            "classes": {
                figures.name: {
                    "recall": figures.recall.as_dict(),
                    "precision": figures.precision.as_dict(),
                    "f1": round(figures.f1, 5),
                }
                for figures in self.report.classes
            },
            "confusion": self.report.confusion.tolist(),
        }


@dataclass(frozen=True, slots=True)
class StrangerScore:
    """An examination on BCCD cells cut at one margin."""

    margin: float
    examination: Examination

    def as_dict(self) -> dict[str, Any]:
        report = self.examination.report
        return {
            "set": "BCCD",
            "margin": self.margin,
            "accuracy": report.accuracy.as_dict(),
            "balanced_accuracy": round(report.balanced_accuracy, 5),
            "accepted": self.examination.accepted.as_dict(),
            "accuracy_of_accepted": self.examination.correct_of_accepted.as_dict(),
            "recall": {
                figures.name: figures.recall.as_dict()
                for figures in report.classes
                if figures.recall.total
            },
        }


def examine(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    class_names: Sequence[str],
    *,
    is_accepted: NDArray[np.bool_],
) -> Examination:
    """Score probabilities float64[N, C] against class indices int64[N]."""
    guesses = probabilities.argmax(axis=1)
    hits = int((guesses == truth)[is_accepted].sum())
    accepted = int(is_accepted.sum())
    return Examination(
        report=metrics.evaluate(truth, guesses, class_names),
        accepted=metrics.Share(accepted, len(truth)),
        correct_of_accepted=metrics.Share(hits, accepted),
        calibration_error=metrics.expected_calibration_error(probabilities, truth),
        brier=metrics.brier_score(probabilities, truth),
    )


def predict_probabilities(
    classifier: CellClassifier, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probabilities float64[N, C] in the classifier's class order, and which were not referred."""
    predictions = classifier.classify(list(images))
    rows = [[found.probabilities[name] for name in classifier.class_names] for found in predictions]
    return np.array(rows), np.array([not found.referred for found in predictions])


def examine_strangers(classifier: CellClassifier, data_dir: Path) -> list[StrangerScore]:
    """Examine a classifier that never saw BCCD on its white cells, at several framings."""
    cells = read_bccd_cells(data_dir)
    truth = np.array([classifier.class_names.index(cell.label) for cell in cells], dtype=np.int64)
    scores = []
    for margin in MARGINS:
        found, is_accepted = predict_probabilities(classifier, cut_all(cells, margin=margin))
        examination = examine(found, truth, classifier.class_names, is_accepted=is_accepted)
        scores.append(StrangerScore(margin=margin, examination=examination))
    return scores
