"""Figures of merit for a classifier, each with the interval that its sample size allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `total`, with its exact 95 % interval."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        return self.hits / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        return clopper_pearson(self.hits, self.total)

    def as_dict(self) -> dict[str, float | int | list[float] | None]:
        """For JSON, which has no NaN: the value of an empty share is null."""
        low, high = self.interval
        return {
            "value": round(self.value, 5) if self.total else None,
            "n": self.total,
            "interval_95": [round(low, 5), round(high, 5)],
        }


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class fares: `recall` over its true cells, `precision` over cells given its name."""

    name: str
    recall: Share
    precision: Share

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall: twice the hits over all mentions, 0 if none."""
        mentions = self.recall.total + self.precision.total
        return 2 * self.recall.hits / mentions if mentions else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Accuracy, figures a class, and `confusion`: rows are true classes, columns predicted."""

    accuracy: Share
    classes: tuple[ClassFigures, ...]
    confusion: NDArray[np.int64]

    @property
    def macro_f1(self) -> float:
        return float(np.mean([figures.f1 for figures in self.classes]))

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall over the classes that occur."""
        recalls = [figures.recall.value for figures in self.classes if figures.recall.total]
        return float(np.mean(recalls))


def clopper_pearson(hits: int, total: int, *, level: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval (Clopper & Pearson, Biometrika 1934;26:404); (0, 1) if empty."""
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} of {total} is not a share")
    tail = (1.0 - level) / 2.0
    low = float(beta.ppf(tail, hits, total - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 1, total - hits)) if hits < total else 1.0
    return low, high


def confusion_matrix(
    truth: NDArray[np.int64], guesses: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Count int64[classes, classes]; rows are the truth."""
    counts = np.bincount(truth * classes + guesses, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def evaluate(
    truth: NDArray[np.int64], guesses: NDArray[np.int64], class_names: Sequence[str]
) -> Report:
    """Compare class indices int64[N] with the truth."""
    confusion = confusion_matrix(truth, guesses, len(class_names))
    hits, true, named = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    figures = tuple(
        ClassFigures(
            name=name,
            recall=Share(int(hits[index]), int(true[index])),
            precision=Share(int(hits[index]), int(named[index])),
        )
        for index, name in enumerate(class_names)
    )
    return Report(
        accuracy=Share(int(hits.sum()), int(confusion.sum())),
        classes=figures,
        confusion=confusion,
    )


def expected_calibration_error(
    probabilities: NDArray[np.floating], truth: NDArray[np.int64], *, bins: int = 15
) -> float:
    """Mean gap of confidence and accuracy over equal-width bins (Guo et al., ICML 2017)."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(float(correct[bin_of == index].mean()) - float(confidence[bin_of == index].mean()))
        * float((bin_of == index).mean())
        for index in np.unique(bin_of)
    ]
    return float(sum(gaps))


def negative_log_likelihood(probabilities: NDArray[np.floating], truth: NDArray[np.int64]) -> float:
    """Mean of minus the natural logarithm of the true class's probability, in nats."""
    found = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(found.clip(1e-12)).mean())


def brier_score(probabilities: NDArray[np.floating], truth: NDArray[np.int64]) -> float:
    """Mean squared distance to the one-hot truth, 0 to 2 (Brier, Mon Weather Rev 1950;78:1)."""
    target = np.eye(probabilities.shape[1])[truth]
    return float(((probabilities - target) ** 2).sum(axis=1).mean())
