"""Fit the heads that describe a cell's morphology, and examine them on cells they never saw."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ml.calibration import fit_temperature, referral_threshold, softmax
from ml.data.pixels import read_cell
from ml.data.records import Record
from ml.errors import DatasetError
from ml.inference import ServedClassifier
from ml.metrics import clopper_pearson, expected_calibration_error
from ml.morphology import TITLES, Heads
from ml.report.bootstrap import interval, replicate_weights

ATTRIBUTES_FILE: Final = "attributes.csv"
STRENGTH: Final = 0.003
"""Inverse weight of the L2 penalty: of 0.0003, 0.001, 0.003 and 0.01 the best or nearly so by the
likelihood of the validation cells, for each of the eight attributes that it was tried on."""

MOST_WRONG: Final = 0.1
"""Share of the stated values that may be wrong on validation; what is surer than that is stated."""

_BATCH: Final = 64
_ROUNDS: Final = 300


@dataclass(frozen=True, eq=False)
class Described:
    """Cells with their pooled features float32[N, K], attributes, classes and groups int64[N]."""

    features: NDArray[np.float32]
    attributes: Sequence[Mapping[str, str]]
    labels: Sequence[str]
    groups: NDArray[np.int64]

    def column(self, name: str, values: Sequence[str]) -> NDArray[np.int64]:
        """Which of the values each cell has, int64[N]."""
        try:
            return np.array([values.index(row[name]) for row in self.attributes], dtype=np.int64)
        except ValueError as error:
            raise DatasetError(f"{name} has a value that no training cell has.") from error


def read_attributes(data_dir: Path) -> dict[str, dict[str, str]]:
    """The attributes of WBCAtt by the file of PBC; raises DatasetError if they are missing."""
    path = data_dir / "pbc" / ATTRIBUTES_FILE
    if not path.is_file():
        raise DatasetError(f"No attributes: {path} does not exist.")
    with path.open(newline="", encoding="utf-8") as lines:
        return {row["file"]: row for row in csv.DictReader(lines)}


def read_described(
    classifier: ServedClassifier,
    records: Sequence[Record],
    attributes: Mapping[str, Mapping[str, str]],
    *,
    on_progress: Callable[[int], object] = lambda _: None,
) -> Described:
    """Read those of a fold's records that are described, as the release serves them."""
    own = [record for record in records if record.key in attributes]
    parts = []
    for start in range(0, len(own), _BATCH):
        batch = [read_cell(record) for record in own[start : start + _BATCH]]
        parts += [output.features for output in classifier.examine(batch)]
        on_progress(len(batch))
    groups = np.unique([record.group for record in own], return_inverse=True)[1]
    return Described(
        np.stack(parts),
        [attributes[record.key] for record in own],
        [record.label for record in own],
        groups.astype(np.int64),
    )


def fit_heads(
    training: Described,
    validation: Described,
    *,
    on_progress: Callable[[str], object] = lambda _: None,
) -> Heads:
    """Fit one multinomial logistic regression an attribute on the training cells.

    The validation cells choose the temperature, and below which probability an
    attribute is uncertain: the lowest at which at most MOST_WRONG of the stated values are wrong.
    """
    mean = training.features.mean(axis=0)
    spread = training.features.std(axis=0) + 1e-6
    fitted = []
    for name in TITLES:
        fitted.append(_fit_one(name, training, validation, mean, spread))
        on_progress(name)
    return Heads(
        names=np.array(list(TITLES)),
        values=np.concatenate([np.array(each.values) for each in fitted]),
        owners=np.concatenate(
            [np.full(len(each.values), place) for place, each in enumerate(fitted)]
        ),
        kernel=np.concatenate([each.kernel for each in fitted]),
        bias=np.concatenate([each.bias for each in fitted]),
        temperatures=np.array([each.temperature for each in fitted], dtype=np.float32),
        limits=np.array([each.limit for each in fitted], dtype=np.float32),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    values: list[str]
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float
    limit: float


def _fit_one(
    name: str,
    training: Described,
    validation: Described,
    mean: NDArray[np.float32],
    spread: NDArray[np.float32],
) -> _Fitted:
    values = sorted({row[name] for row in training.attributes})
    labels, truth = training.column(name, values), validation.column(name, values)
    rows = (training.features - mean) / spread
    kernel, bias = _regress(rows, labels, mean, spread)
    logits = validation.features @ kernel.astype(np.float16).astype(np.float32).T + bias
    temperature = fit_temperature(logits, truth)
    limit = referral_threshold(softmax(logits, temperature), truth, max_error=MOST_WRONG)
    return _Fitted(values, kernel, bias, temperature, limit)


def _regress(
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    mean: NDArray[np.float32],
    spread: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel float32[V, K] and bias float32[V] over features that are not standardised."""
    model = LogisticRegression(C=STRENGTH, max_iter=_ROUNDS, tol=1e-3).fit(rows, labels)
    kernel, bias = model.coef_, model.intercept_
    if len(kernel) == 1:  # two values: one logit, the other's is 0
        kernel, bias = np.vstack([-kernel / 2, kernel / 2]), np.array([-bias[0], bias[0]]) / 2
    plain = kernel / spread
    return plain.astype(np.float32), (bias - plain @ mean).astype(np.float32)


def examine_heads(heads: Heads, training: Described, examined: Described) -> list[dict[str, Any]]:
    """How each attribute is read on cells that fitted nothing, with 95 % intervals.

    Beside it: always saying the training cells' commonest value (`majority`), and saying the one
    commonest in the cell's true class (`by_class`), which is what a textbook would say. Balanced
    accuracy is the mean recall over the values that occur; its interval and that of the expected
    calibration error are by bootstrap over groups, that of accuracy is Clopper-Pearson's.
    """
    rows = heads.probabilities(examined.features)
    return [
        _examine_one(heads, place, probabilities, training, examined)
        for place, probabilities in enumerate(rows)
    ]


def _examine_one(
    heads: Heads,
    place: int,
    probabilities: NDArray[np.float64],
    training: Described,
    examined: Described,
) -> dict[str, Any]:
    name, values = str(heads.names[place]), heads.values_of(place)
    truth, learned = examined.column(name, values), training.column(name, values)
    guesses = probabilities.argmax(axis=1)
    is_right, is_stated = guesses == truth, probabilities.max(axis=1) >= heads.limits[place]
    drawn = list(replicate_weights(examined.groups))
    balanced = [_balanced(truth, guesses, weights) for weights in drawn]
    errors = [expected_calibration_error(*_draw(probabilities, truth, each)) for each in drawn]
    return {
        "name": name,
        "values": values,
        "n": len(truth),
        "accuracy": _share(is_right),
        "balanced_accuracy": _balanced(truth, guesses, np.ones(len(truth))),
        "balanced_accuracy_interval_95": interval(np.array(balanced)),
        **_without_looking(truth, learned, training.labels, examined.labels),
        "ece": expected_calibration_error(probabilities, truth),
        "ece_interval_95": interval(np.array(errors)),
        "limit": round(float(heads.limits[place]), 4),
        "stated": _share(is_stated),
        "accuracy_of_stated": _share(is_right[is_stated]),
        "recall": {value: _share(is_right[truth == at]) for at, value in enumerate(values)},
    }


def _without_looking(
    truth: NDArray[np.int64],
    learned: NDArray[np.int64],
    learned_labels: Sequence[str],
    labels: Sequence[str],
) -> dict[str, Any]:
    """What is right without a look at the cell: the commonest value, that of the cell's class."""
    common = np.full(len(truth), np.bincount(learned).argmax())
    usual = _usual(learned, learned_labels)
    by_class = np.array([usual[label] for label in labels])
    return {
        "majority": {"accuracy": float((common == truth).mean()), "balanced": 1 / len(set(truth))},
        "by_class": {
            "accuracy": float((by_class == truth).mean()),
            "balanced": _balanced(truth, by_class, np.ones(len(truth))),
        },
    }


def _usual(learned: NDArray[np.int64], labels: Sequence[str]) -> dict[str, int]:
    """The commonest value of each class."""
    names = np.array(labels)
    return {str(each): int(np.bincount(learned[names == each]).argmax()) for each in set(labels)}


def _balanced(
    truth: NDArray[np.int64], guesses: NDArray[np.int64], weights: NDArray[np.float64]
) -> float:
    recalls = [
        float(weights[(truth == value) & (guesses == value)].sum() / weights[truth == value].sum())
        for value in np.unique(truth)
        if weights[truth == value].sum() > 0
    ]
    return float(np.mean(recalls))


def _draw(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The cells as often as they were drawn."""
    chosen = np.repeat(np.arange(len(truth)), weights.astype(np.int64))
    return probabilities[chosen], truth[chosen]


def _share(is_hit: NDArray[np.bool_]) -> dict[str, Any]:
    hits, total = int(is_hit.sum()), len(is_hit)
    return {
        "value": hits / total if total else None,
        "n": total,
        "interval_95": list(clopper_pearson(hits, total)) if total else None,
    }
