"""Shift a release's head towards a laboratory's cells, and calibrate it on cells held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.adapting.heads import (
    Array,
    Lesson,
    Plane,
    fit_shift,
    served_features,
)
from ml.adapting.limits import Limits, refit_limits
from ml.artifacts import ReleaseSpec, verify
from ml.calibration import fit_temperature, softmax
from ml.data.records import Record
from ml.data.splits import folds_by_group
from ml.errors import ArtifactError
from ml.head_fitting import DenseLayer
from ml.inference import read_statistics
from ml.looking import LookedAt
from ml.metrics import negative_log_likelihood
from ml.novelty import NoveltyStatistics

FOLDS: Final = 5
PULLS: Final = (1e-2, 3e-2, 1e-1, 3e-1)
"""Strengths of the pull towards the old head that are tried, from loose to tight."""

REPLAYS: Final = (1.0, 3.0, 10.0)
"""What the reference cells count together, over what the laboratory's cells do. More is tried where
under less every head forgot too much."""

FORGETTING: Final = 0.02
"""By how much the recall of the reference cells held out may fall in a class of which the
laboratory has no cell."""

YIELDING: Final = 0.05
"""The same in a class of which it has: there its own cells say what is right."""

_SEED: Final = 20260101


@dataclass(frozen=True, eq=False)
class Known:
    """What a release brings: its head, the reference cells that it replays, and its limits."""

    spec: ReleaseSpec
    head: DenseLayer
    statistics: NoveltyStatistics
    plane: Plane

    @property
    def limits(self) -> Limits:
        """The limits that it serves with."""
        return Limits.of(self.spec, self.statistics)

    def replayed(self) -> Lesson:
        """The reference cells, as far as their kept coordinates tell, each class counting alike."""
        kept = self.statistics.examples.astype(np.float64)
        features = self.statistics.mean + kept @ self.statistics.wide_axes.T
        labels = self.statistics.example_labels
        logits = self.head.logits(features) / self.spec.temperature
        return Lesson(self.plane.place(features), logits, labels, _rarity(labels, 1.0))


@dataclass(frozen=True, eq=False)
class Adapted:
    """A head and its limits, and by which pull and replay it was fitted; None of the old head kept.

    `recalls` float64[C] are those of the reference cells held out, `former_recalls` the old head's.
    """

    head: DenseLayer
    limits: Limits
    pull: float | None
    replay: float | None
    recalls: Array
    former_recalls: Array


@dataclass(frozen=True, eq=False)
class _Trial:
    """What a head does to cells held out: logits of the laboratory's and of the reference cells."""

    pull: float | None
    replay: float | None
    logits: Array
    replayed: Array
    recalls: Array
    loss: float


def read_known(release_dir: Path) -> Known:
    """Read a release; ArtifactError if it isn't what it says or has no reference cells."""
    from ml.keras_release import read_layer  # noqa: PLC0415 - TensorFlow

    spec = verify(release_dir)
    statistics = read_statistics(release_dir, spec)
    if statistics is None:
        raise ArtifactError(
            f"{spec.name} {spec.version} keeps no reference cells, so it can't be adapted."
        )
    return Known(spec, read_layer(release_dir), statistics, Plane.of(statistics))


def adapt_head(
    known: Known,
    cells: LookedAt,
    *,
    pulls: Sequence[float] = PULLS,
    replays: Sequence[float] = REPLAYS,
) -> Adapted:
    """Choose the pull by grouped cross-validation, fit on all cells, calibrate on those held out.

    Of the pulls, and of leaving the head alone, it takes the one under which held out cells of the
    laboratory are likeliest, of those that keep the recall of every class of the reference cells
    within FORGETTING or YIELDING. Where none does, the reference cells count for more.
    Temperature, conformal quantiles and limits come from the same held out cells.
    """
    learner = _Learner(known, cells)
    unchanged = learner.try_out(None, None)
    chosen = _choose(learner, unchanged, pulls, replays)
    limits = refit_limits(
        known.limits,
        known.statistics,
        cells,
        logits=chosen.logits,
        replayed=(unchanged.replayed, chosen.replayed),
    )
    head = learner.fit(chosen.pull, chosen.replay)
    return Adapted(head, limits, chosen.pull, chosen.replay, chosen.recalls, unchanged.recalls)


def _choose(
    learner: _Learner, unchanged: _Trial, pulls: Sequence[float], replays: Sequence[float]
) -> _Trial:
    """The likeliest trial of the least replay under which any forgets little enough."""
    least = unchanged.recalls - learner.allowed()
    for replay in replays:
        trials = [learner.try_out(pull, replay) for pull in pulls]
        kept = [each for each in trials if (each.recalls >= least).all()]
        if kept:
            return min([unchanged, *kept], key=lambda each: each.loss)
    return unchanged


def deal(cells: LookedAt, count: int = FOLDS) -> Iterator[NDArray[np.bool_]]:
    """Masks bool[N] of `count` parts of the cells, whole groups each, every class spread evenly."""
    records = [
        Record(path=Path(), label=str(label), group=str(group), key=str(number))
        for number, (label, group) in enumerate(zip(cells.labels, cells.groups, strict=True))
    ]
    for part in folds_by_group(records, count, _SEED):
        mask = np.zeros(len(cells), dtype=np.bool_)
        mask[[int(record.key) for record in part]] = True
        if mask.any():
            yield mask


class _Learner:
    """Fits shifts to a laboratory's cells beside replayed ones, all of them or all but a part."""

    def __init__(self, known: Known, cells: LookedAt) -> None:
        self._known = known
        self._cells = cells
        features = served_features(known.head, cells, known.spec.closer)
        self._places = known.plane.place(features)
        self._logits = known.head.logits(features) / known.spec.temperature
        self._old = known.replayed()
        turns = np.random.default_rng(_SEED).permutation(len(self._old.labels))
        self._old_folds = turns % FOLDS

    def fit(
        self,
        pull: float | None,
        replay: float | None,
        mine: NDArray[np.bool_] | slice = slice(None),
        old: NDArray[np.bool_] | slice = slice(None),
    ) -> DenseLayer:
        """The head that some of the cells, by mask, teach; without a pull the old one."""
        if pull is None or replay is None:
            return self._known.head
        labels = self._cells.labels[mine]
        lesson = Lesson(self._places[mine], self._logits[mine], labels, _rarity(labels, 0.5))
        replayed = self._old.labels[old]
        kept = Lesson(
            self._old.places[old],
            self._old.logits[old],
            replayed,
            replay * _rarity(replayed, 1.0),
        )
        shift = fit_shift([lesson, kept], pull)
        return self._known.plane.moved(self._known.head, shift, self._known.spec.temperature)

    def try_out(self, pull: float | None, replay: float | None) -> _Trial:
        """Read every cell by a head that learned from the others, and sum up how well it went."""
        closer, spec = self._known.spec.closer, self._known.spec
        logits = np.empty_like(self._logits)
        replayed = np.empty_like(self._old.logits)
        for number, mask in enumerate(deal(self._cells)):
            held_out = self._old_folds == number
            head = self.fit(pull, replay, ~mask, ~held_out)
            logits[mask] = self._cells.part(mask).logits(head, closer)
            replayed[held_out] = head.logits(self._features_of_old(held_out))
        temperature = fit_temperature(logits, self._cells.labels)
        loss = negative_log_likelihood(softmax(logits, temperature), self._cells.labels)
        recalls = _recalls(replayed, self._old.labels, len(spec.class_names))
        return _Trial(pull, replay, logits, replayed, recalls, loss)

    def allowed(self) -> Array:
        """By how much each class's recall of the reference cells may fall, float64[C]."""
        seen = np.bincount(self._cells.labels, minlength=len(self._known.spec.class_names))
        return np.where(seen > 0, YIELDING, FORGETTING)

    def _features_of_old(self, chosen: NDArray[np.bool_]) -> Array:
        statistics = self._known.statistics
        kept = statistics.examples[chosen].astype(np.float64)
        return np.asarray(statistics.mean + kept @ statistics.wide_axes.T, dtype=np.float64)


def _rarity(labels: NDArray[np.int64], power: float) -> Array:
    """Weights float64[N] that sum to 1; a class's cells count by its rarity to this power."""
    weights = np.bincount(labels)[labels].astype(np.float64) ** -power
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _recalls(logits: Array, labels: NDArray[np.int64], classes: int) -> Array:
    """Share of each class's cells that are named rightly, 1 where there is none: float64[C]."""
    right = logits.argmax(axis=1) == labels
    return np.array(
        [right[labels == index].mean() if (labels == index).any() else 1.0
         for index in range(classes)]
    )  # fmt: skip
