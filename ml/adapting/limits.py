"""What decides which cells are named, fitted anew on a laboratory's cells held out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.adapting.heads import Array
from ml.artifacts import ReleaseSpec
from ml.calibration import fit_temperature, referral_threshold, softmax
from ml.conformal import Quantiles, carry_threshold, fit, prediction_set, scores
from ml.looking import LookedAt
from ml.novelty import ACCEPTED, NoveltyStatistics, score
from ml.referral import Referral, is_settled

_DIGITS: Final = 4


@dataclass(frozen=True, eq=False)
class Limits:
    """Temperature, threshold and conformal quantiles of a release, and its limit of novelty.

    `novelty` is the squared distance from learned cells beyond which a cell is odd.
    """

    temperature: float
    threshold: float
    quantiles: tuple[Quantiles, ...]
    referral: Referral | None
    novelty: float

    @classmethod
    def of(cls, spec: ReleaseSpec, statistics: NoveltyStatistics) -> Limits:
        """Those that a release serves with."""
        stated = (spec.conformal or {}).get("quantiles", ())
        fitted = tuple(Quantiles.from_dict(each) for each in stated)
        return cls(spec.temperature, spec.threshold, fitted, spec.referral, statistics.limit)

    def probabilities(self, logits: Array) -> Array:
        """Calibrated, float64[N, C]."""
        return softmax(logits, self.temperature)

    def named(
        self, logits: Array, statistics: NoveltyStatistics, cells: LookedAt
    ) -> NDArray[np.bool_]:
        """Which cells bool[N] a release of these limits would name itself, as it serves."""
        found = self.probabilities(logits)
        chosen = self._deciding()
        if chosen is None:
            settled = found.max(axis=1) >= self.threshold
        else:
            sets = prediction_set(found, chosen.class_thresholds(), score=chosen.score)
            settled = is_settled(found, sets)
        strange = score(replace(statistics, limit=self.novelty), cells.first)
        return np.asarray(settled & (np.maximum(strange, cells.faults) <= 1.0))

    def is_own(self, cells: LookedAt, classes: int) -> NDArray[np.bool_]:
        """Of which classes bool[C] the deciding limit rests on these cells; a threshold does."""
        chosen = self._deciding()
        counts = np.bincount(cells.labels, minlength=classes)
        least = 0 if chosen is None else _least_for(chosen.alpha)
        return np.asarray(counts >= least)

    def _deciding(self) -> Quantiles | None:
        if self.referral is None:
            return None
        wanted = (self.referral.score, self.referral.alpha)
        return next(each for each in self.quantiles if (each.score, each.alpha) == wanted)


def refit_limits(
    old: Limits,
    statistics: NoveltyStatistics,
    cells: LookedAt,
    *,
    logits: Array,
    replayed: tuple[Array, Array],
) -> Limits:
    """Fit on the logits float64[N, C] of cells by heads that never learned from them.

    `replayed` are the logits of the reference cells by the old head and, held out, by the new. A
    class with too few cells for its quantile keeps the coverage that it had on the reference
    cells. The temperature never falls, as so few cells can't show that surer is right. Nor does
    the limit of novelty: it accepts 99 % of the laboratory's cells.
    """
    temperature = max(old.temperature, round(fit_temperature(logits, cells.labels), _DIGITS))
    found = softmax(logits, temperature)
    labels = statistics.example_labels
    before, after = softmax(replayed[0], old.temperature), softmax(replayed[1], temperature)
    quantiles = tuple(
        _merge(fit(found, cells.labels, each.alpha, score=each.score), each, before, after, labels)
        for each in old.quantiles
    )
    return Limits(
        temperature=temperature,
        threshold=referral_threshold(found, cells.labels),
        quantiles=quantiles,
        referral=old.referral,
        novelty=max(old.novelty, _novelty_limit(statistics, cells)),
    )


def _merge(
    own: Quantiles,
    former: Quantiles,
    before: Array,
    after: Array,
    labels: NDArray[np.int64],
) -> Quantiles:
    """The laboratory's quantiles, and for classes that it has too few cells of, those carried."""
    old, new = scores(before, former.score), scores(after, former.score)
    per_class: list[float | None] = []
    counts: list[int] = []
    for index, quantile in enumerate(own.per_class):
        is_own, mine = quantile is not None, labels == index
        carried = carry_threshold(former.per_class[index], old[mine, index], new[mine, index])
        per_class.append(quantile if is_own else carried)
        counts.append((own if is_own else former).class_counts[index])
    return replace(own, per_class=tuple(per_class), class_counts=tuple(counts))


def _novelty_limit(statistics: NoveltyStatistics, cells: LookedAt) -> float:
    """The squared distance from learned cells that 99 % of these keep below."""
    scaled = float(np.quantile(score(statistics, cells.first), ACCEPTED))
    return statistics.typical + scaled * (statistics.limit - statistics.typical)


def _least_for(alpha: float) -> int:
    """The fewest cells whose quantile promises 1 - alpha; see `ml.conformal.fit`."""
    return math.ceil(1.0 / alpha - 1.0 - 1e-9)
