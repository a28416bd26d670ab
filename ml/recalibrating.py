"""Calibrate a new head on a laboratory's cells without giving up what the former one promised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec
from ml.calibration import fit_temperature, referral_threshold, softmax
from ml.conformal import Quantiles, carry_threshold, fit, scores
from ml.errors import DatasetError
from ml.head_fitting import DenseLayer
from ml.novelty import ACCEPTED, NoveltyStatistics, score
from ml.referral import Referral
from ml.referral_fitting import MISCOVERAGES, ReadCells, Trial, choose, count_confusion, try_out

LEAST_FOR_LIMIT: Final = 100
"""A 99th percentile of fewer cells says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Cells that a release keeps of those it learned from: features float32[M, K], int64[M]."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What turns the logits of a new head into names, as a release's spec states it."""

    temperature: float
    threshold: float
    quantiles: tuple[Quantiles, ...]
    trials: tuple[Trial, ...]
    referral: Referral
    confusion: tuple[tuple[int, ...], ...]
    probabilities: NDArray[np.float64]
    is_named: NDArray[np.bool_]


def replay_of(statistics: NoveltyStatistics) -> Replay:
    """The kept cells' features, drawn from their coordinates in the subspace of cells."""
    coordinates = statistics.examples.astype(np.float32)
    features = statistics.mean + coordinates @ statistics.wide_axes.T
    return Replay(np.asarray(features, dtype=np.float32), statistics.example_labels)


def widen_limit(statistics: NoveltyStatistics, features: NDArray[np.float32]) -> NoveltyStatistics:
    """Statistics that take the laboratory's own cells, float32[N, K], for known ones.

    The limit rises to the 99th percentile of these cells where that lies higher; it never falls.
    Mean and axes stay, so that embeddings of both versions can be compared.
    """
    if len(features) < LEAST_FOR_LIMIT:
        return statistics
    found = float(np.quantile(score(statistics, features), ACCEPTED))
    span = statistics.limit - statistics.typical
    return replace(statistics, limit=statistics.typical + span * max(1.0, found))


def calibrate(
    spec: ReleaseSpec,
    logits: NDArray[np.float64],
    cells: ReadCells,
    replay: Replay,
    layers: tuple[DenseLayer, DenseLayer],
) -> Calibration:
    """Fit temperature, quantiles and referral on cells whose logits come from others' heads.

    `logits` float64[N, C] of the laboratory's cells, each by a head that saw no cell of that
    patient; `cells` give labels, groups and which are odd. `layers` are the former and the new.
    """
    temperature = round(fit_temperature(logits, cells.labels), 4)
    probabilities = softmax(logits, temperature)
    read = replace(cells, probabilities=probabilities)
    kept = _kept(spec, replay, layers, temperature)
    quantiles = tuple(
        _joined(fit(probabilities, cells.labels, alpha), kept.get(alpha)) for alpha in MISCOVERAGES
    )
    trials = tuple(try_out(read, each) for each in quantiles)
    chosen = quantiles[trials.index(_choose(trials))]
    threshold = referral_threshold(probabilities, cells.labels)
    return Calibration(
        temperature=temperature,
        threshold=threshold,
        quantiles=quantiles,
        trials=trials,
        referral=Referral(score=chosen.score, alpha=chosen.alpha),
        confusion=count_confusion(read, chosen),
        probabilities=probabilities,
        is_named=probabilities.max(axis=1) >= threshold,
    )


def _choose(trials: tuple[Trial, ...]) -> Trial:
    """As for any release; the strictest where the labels leave none with few errors."""
    try:
        return choose(trials)
    except DatasetError:
        return min(trials, key=lambda each: each.alpha)


def _kept(
    spec: ReleaseSpec,
    replay: Replay,
    layers: tuple[DenseLayer, DenseLayer],
    temperature: float,
) -> dict[float, list[float | None]]:
    """Thresholds by miscoverage that keep, of the release's own cells, as many in their sets."""
    before, after = (
        scores(softmax(layer.logits(replay.features), heat), "lac")
        for layer, heat in zip(layers, (spec.temperature, temperature), strict=True)
    )
    places = [replay.labels == index for index in range(len(spec.class_names))]
    found: dict[float, list[float | None]] = {}
    for told in (spec.conformal or {}).get("quantiles", ()):
        former = Quantiles.from_dict(told)
        found[former.alpha] = [
            carry_threshold(threshold, before[mine, index], after[mine, index])
            for index, (threshold, mine) in enumerate(zip(former.per_class, places, strict=True))
        ]
    return found


def _joined(own: Quantiles, kept: list[float | None] | None) -> Quantiles:
    """The wider of both thresholds a class; the kept one alone where own cells are too few."""
    if kept is None:
        return own
    pairs = zip(own.per_class, kept, strict=True)
    return replace(own, per_class=tuple(_wider(one, other) for one, other in pairs))


def _wider(own: float | None, kept: float | None) -> float | None:
    if own is None or kept is None:
        return kept if own is None else own
    return max(own, kept)
