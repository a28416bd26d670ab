"""Choose which conformal sets decide what a release names, on its validation cells alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec, read_spec
from ml.calibration import MAX_ACCEPTED_ERROR
from ml.card import publish
from ml.conformal import Quantiles, fit, prediction_set
from ml.data.pixels import read_cell
from ml.data.records import Record, labels_of
from ml.errors import DatasetError
from ml.inference import CellClassifier, load_classifier
from ml.metrics import Share
from ml.referral import Referral, is_settled

MISCOVERAGES: Final = (0.1, 0.07, 0.05, 0.02, 0.01, 0.005)
"""Shares of each class's cells whose set may miss the truth; a set of quantiles for each."""

SPLITS: Final = 20
"""How often the cells are halved by group to see what a choice is worth on others."""

_SEED: Final = 20260101
_BATCH: Final = 64


@dataclass(frozen=True, eq=False)
class ReadCells:
    """Labelled cells as a release reads them.

    Calibrated `probabilities` float64[N, C]; `is_odd` bool[N], referred whatever they say; class
    indices `labels` int64[N]; `groups` int64[N], alike for cells that must not be parted.
    """

    probabilities: NDArray[np.float64]
    is_odd: NDArray[np.bool_]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    def part(self, chosen: NDArray[np.bool_]) -> ReadCells:
        return ReadCells(
            self.probabilities[chosen],
            self.is_odd[chosen],
            self.labels[chosen],
            self.groups[chosen],
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """What sets of one miscoverage would do on the cells that fitted them, and on others.

    `single` holds for each class the share of its cells whose set is one class. `cross_referred`
    and `cross_error` are means over halves: quantiles from one, examined on the other.
    """

    alpha: float
    referred: Share
    error: Share
    single: tuple[Share, ...]
    cross_referred: float
    cross_error: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "alpha": self.alpha,
            "referred": self.referred.as_dict(),
            "error_of_accepted": self.error.as_dict(),
            "single": [share.as_dict()["value"] for share in self.single],
            "cross_referred": round(self.cross_referred, 5),
            "cross_error_of_accepted": round(self.cross_error, 5),
        }


def add_referral(
    release_dir: Path, records: Sequence[Record], *, on_progress: Callable[[int], object]
) -> ReleaseSpec:
    """Let conformal sets decide what a release names, fitted on its validation `records`.

    Fits quantiles, chooses the miscoverage, counts the confusion of the cells that are then
    named, and writes all that into the spec and the card. Quantiles and choice come from the same
    cells; the halves say how much that flatters.
    """
    cells = read_cells(load_classifier(release_dir), records, on_progress=on_progress)
    fitted = [fit(cells.probabilities, cells.labels, alpha) for alpha in MISCOVERAGES]
    trials = [try_out(cells, quantiles) for quantiles in fitted]
    chosen = fitted[trials.index(choose(trials))]
    spec = read_spec(release_dir)
    spec = replace(
        spec,
        conformal={"quantiles": [quantiles.as_dict() for quantiles in fitted]},
        referral=Referral(score=chosen.score, alpha=chosen.alpha),
        confusion_of_accepted=count_confusion(cells, chosen),
        metrics={**spec.metrics, "referral": {"trials": [trial.as_dict() for trial in trials]}},
    )
    publish(release_dir, spec)
    return spec


def read_cells(
    classifier: CellClassifier,
    records: Sequence[Record],
    *,
    on_progress: Callable[[int], object] = lambda _: None,
) -> ReadCells:
    """Decode and classify records as they are served, batch by batch."""
    names = classifier.class_names
    rows: list[list[float]] = []
    odd: list[bool] = []
    for start in range(0, len(records), _BATCH):
        batch = [read_cell(record) for record in records[start : start + _BATCH]]
        for found in classifier.classify(batch):
            rows.append([found.probabilities[name] for name in names])
            odd.append(found.oddness is not None and found.oddness > 1.0)
        on_progress(len(batch))
    groups = [record.group or record.key for record in records]
    return ReadCells(
        np.array(rows),
        np.array(odd),
        labels_of(records, names),
        np.unique(groups, return_inverse=True)[1].astype(np.int64),
    )


def try_out(cells: ReadCells, quantiles: Quantiles) -> Trial:
    """What these quantiles would do on the cells, and what halves of the cells say of that."""
    accepted, sets = _accept(cells, quantiles)
    crossed = [_shares(each) for each in _cross(cells, quantiles)]
    referred, error = (
        float(np.mean([pair[place].value for pair in crossed if pair[place].total] or [0.0]))
        for place in (0, 1)
    )
    is_single = sets.sum(axis=1) == 1
    return Trial(
        quantiles.alpha,
        *_shares((cells, accepted)),
        single=tuple(
            Share(int(is_single[cells.labels == index].sum()), int((cells.labels == index).sum()))
            for index in range(sets.shape[1])
        ),
        cross_referred=referred,
        cross_error=error,
    )


def choose(trials: Sequence[Trial]) -> Trial:
    """The trial that refers fewest cells of those in which few of the named are misnamed.

    Few is at most MAX_ACCEPTED_ERROR, as for the threshold; a trial that names nothing misnames
    nothing. Raises DatasetError if there is none.
    """
    good = [each for each in trials if each.error.hits <= MAX_ACCEPTED_ERROR * each.error.total]
    if not good:
        raise DatasetError("No miscoverage keeps the error of the named cells low enough.")
    return min(good, key=lambda each: each.referred.value)


def count_confusion(cells: ReadCells, quantiles: Quantiles) -> tuple[tuple[int, ...], ...]:
    """Counts of the cells that are named: rows the truth, columns the name, in class order."""
    accepted, sets = _accept(cells, quantiles)
    counts = np.zeros((sets.shape[1],) * 2, dtype=np.int64)
    names = cells.probabilities.argmax(axis=1)
    np.add.at(counts, (cells.labels[accepted], names[accepted]), 1)
    return tuple(tuple(row) for row in counts.tolist())


Accepted = tuple[ReadCells, NDArray[np.bool_]]
"""Cells, and which of them bool[N] are named."""


def _accept(cells: ReadCells, quantiles: Quantiles) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells bool[N] are named, and the sets bool[N, C] that say so."""
    sets = prediction_set(cells.probabilities, quantiles.class_thresholds(), score=quantiles.score)
    return is_settled(cells.probabilities, sets) & ~cells.is_odd, sets


def _shares(found: Accepted) -> tuple[Share, Share]:
    """The share that is referred, and that of the named cells that are misnamed."""
    cells, accepted = found
    wrong = cells.probabilities.argmax(axis=1) != cells.labels
    named = int(accepted.sum())
    return Share(len(accepted) - named, len(accepted)), Share(int(wrong[accepted].sum()), named)


def _cross(cells: ReadCells, quantiles: Quantiles) -> list[Accepted]:
    """Halves by group, examined with quantiles of the same kind that the other half gives."""
    found = []
    rng = np.random.default_rng(_SEED)
    for _ in range(SPLITS):
        half = rng.permutation(int(cells.groups.max()) + 1) % 2
        is_first = half[cells.groups] == 0
        for fitted, examined in ((is_first, ~is_first), (~is_first, is_first)):
            if fitted.any() and examined.any():
                one, other = cells.part(fitted), cells.part(examined)
                again = fit(one.probabilities, one.labels, quantiles.alpha, score=quantiles.score)
                found.append((other, _accept(other, again)[0]))
    return found
