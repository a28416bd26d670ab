"""Ways to adapt a head on frozen features, to be held against the one that is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.adapting.examining import read_unadapted, read_with
from ml.adapting.learning import REPLAYS, Known, adapt_head, deal
from ml.calibration import fit_temperature, softmax
from ml.head_fitting import DenseLayer
from ml.looking import LookedAt
from ml.recalibrating import replay_of
from ml.retraining import Material, fit

Probabilities = NDArray[np.float64]
Read = Callable[[LookedAt], Probabilities]
Method = Callable[[Known, LookedAt], Read]

_HOME_CELLS: Final = 20.0
"""As many cells of a class as its mean at home stands for, when it's moved by those of the new."""


def _unchanged(known: Known, _: LookedAt) -> Read:
    return lambda cells: read_unadapted(known, cells).probabilities


def _temperature(known: Known, mine: LookedAt) -> Read:
    return _calibrated(known, known.head, mine)


def _adapted(known: Known, mine: LookedAt, *, replays: Sequence[float]) -> Read:
    adapted = adapt_head(known, mine, replays=replays)
    return lambda cells: read_with(known, adapted, cells).probabilities


def _retrained(known: Known, mine: LookedAt) -> Read:
    """What "Retrain" does: the whole layer anew; its temperature from groups left out."""
    closer = known.spec.closer
    logits = np.empty((len(mine), len(known.spec.class_names)))
    for mask in deal(mine):
        logits[mask] = mine.part(mask).logits(_refit(known, mine.part(~mask)), closer)
    temperature, head = fit_temperature(logits, mine.labels), _refit(known, mine)
    return lambda cells: softmax(cells.logits(head, closer), temperature)


def _refit(known: Known, mine: LookedAt) -> DenseLayer:
    statistics = known.statistics
    return fit(
        Material(known.spec, known.head, statistics, replay_of(statistics), (), mine), slice(None)
    )


def _aligned(known: Known, mine: LookedAt, *, spread: bool) -> Read:
    """Bring the mean, and the deviation, of each class's features to those at home, on average."""
    places, labels = known.plane.place(mine.first), mine.labels
    homes = known.replayed()
    gaps, scales = [], []
    for label in np.unique(labels):
        new, old = places[labels == label], homes.places[homes.labels == label]
        gaps.append(new.mean(axis=0) - old.mean(axis=0))
        if len(new) > 2:
            scales.append(old.var(axis=0) / new.var(axis=0).clip(1e-6))
    shares = np.bincount(labels)[np.unique(labels)] / len(labels)
    gap = shares @ np.array(gaps)
    rate = np.sqrt(np.clip(np.median(scales), 0.25, 4.0)) if spread else 1.0
    back = np.linalg.pinv(known.plane.axes)
    kernel = known.head.kernel * rate
    bias = known.head.bias - gap @ back @ kernel
    bias = bias + known.statistics.mean @ (known.head.kernel - kernel)
    return _calibrated(known, DenseLayer(kernel, bias), mine)


def _prototypes(known: Known, mine: LookedAt) -> Read:
    """Linear discriminant analysis: home means shrunk towards the new, one covariance for all."""
    homes, new = known.replayed(), known.plane.place(mine.first)
    classes = range(len(known.spec.class_names))
    means, left = [], []
    for label in classes:
        old, own = homes.places[homes.labels == label], new[mine.labels == label]
        total = old.mean(axis=0) * _HOME_CELLS + own.sum(axis=0)
        means.append(total / (_HOME_CELLS + len(own)))
        left += [old - old.mean(axis=0), own - means[-1]]
    spread = np.cov(np.concatenate(left).T)
    spread += 0.1 * np.trace(spread) / len(spread) * np.eye(len(spread))
    lean = np.linalg.solve(spread, np.array(means).T)
    level = -0.5 * np.einsum("cd,dc->c", np.array(means), lean)
    kernel = known.plane.axes @ lean
    return _calibrated(known, DenseLayer(kernel, level - known.plane.mean @ kernel), mine)


def _calibrated(known: Known, head: DenseLayer, mine: LookedAt) -> Read:
    """Read with a head at the temperature that fits the cells themselves."""
    closer = known.spec.closer
    temperature = fit_temperature(mine.logits(head, closer), mine.labels)
    return lambda cells: softmax(cells.logits(head, closer), temperature)


METHODS: Final[Mapping[str, Method]] = {
    "unchanged": _unchanged,
    "temperature alone": _temperature,
    "means aligned": partial(_aligned, spread=False),
    "means and deviations aligned": partial(_aligned, spread=True),
    "shrunk class means (LDA)": _prototypes,
    "head, retrained": _retrained,
    "head, pull alone": partial(_adapted, replays=(1e-6,)),
    "head, pull and replay": partial(_adapted, replays=(1.0,)),
    "head, pull and triple replay": partial(_adapted, replays=(3.0,)),
    "head, pull and tenfold replay": partial(_adapted, replays=(10.0,)),
    "head, pull, replay as needed": partial(_adapted, replays=REPLAYS),
}
