"""A small shift of the head that serves, learned on frozen features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ml.calibration import softmax
from ml.head_fitting import DenseLayer
from ml.looking import LookedAt
from ml.looks import CloserLook
from ml.novelty import NoveltyStatistics

Array = NDArray[np.float64]

_STEPS: Final = 200
_ENOUGH: Final = 1e-6
"""Relative fall of the loss in a step at which fitting ends; further ones move no figure."""


def served_features(
    head: DenseLayer, cells: LookedAt, closer: CloserLook | None
) -> NDArray[np.float32]:
    """The features float32[N, K] of one look, or the mean of both, as a cell is read."""
    if closer is None or cells.closer is None:
        return cells.first
    wanted = closer.is_wanted(head.logits(cells.first))[:, np.newaxis]
    return np.where(wanted, (cells.first + cells.closer) / 2, cells.first).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Plane:
    """The coordinates in which heads are shifted: those of cells known to the release.

    A feature vector has D of them, scaled so that the kept cells' mean square is 1.
    """

    mean: Array
    axes: Array

    @classmethod
    def of(cls, statistics: NoveltyStatistics) -> Plane:
        spread = float(np.sqrt(np.square(statistics.examples.astype(np.float64)).mean()))
        return cls(statistics.mean.astype(np.float64), statistics.axes.astype(np.float64) / spread)

    def place(self, features: NDArray[np.floating]) -> Array:
        """Coordinates float64[N, D] of features [N, K]."""
        return np.asarray((features - self.mean) @ self.axes, dtype=np.float64)

    def moved(self, head: DenseLayer, shift: Array, temperature: float) -> DenseLayer:
        """The head whose calibrated logits are the old ones plus a shift float64[D + 1, C].

        The last row of the shift is that of the biases.
        """
        turn, move = shift[:-1] * temperature, shift[-1] * temperature
        lean = self.axes @ turn
        return DenseLayer(head.kernel + lean, head.bias + move - self.mean @ lean)


@dataclass(frozen=True, eq=False)
class Lesson:
    """Cells to learn from: coordinates float64[N, D], calibrated logits float64[N, C] of the old
    head, class indices int64[N], and what each counts, float64[N]."""

    places: Array
    logits: Array
    labels: NDArray[np.int64]
    weights: Array


def fit_shift(lessons: Sequence[Lesson], pull: float) -> Array:
    """The shift float64[D + 1, C] of the head that reads the lessons best.

    Minimises the weighted mean negative log likelihood, plus half the pull times the squared length
    of the shift, which draws towards the old head: an L2 penalty on the distance from the weights
    that one starts with (L2-SP: Li, Grandvalet & Davoine, ICML 2018). Convex, so the start doesn't
    matter.
    """
    places = np.concatenate([each.places for each in lessons])
    places = np.column_stack([places, np.ones(len(places))])
    logits = np.concatenate([each.logits for each in lessons])
    weights = np.concatenate([each.weights for each in lessons])
    labels = np.concatenate([each.labels for each in lessons])
    shape = (places.shape[1], logits.shape[1])
    rows = np.arange(len(labels))

    def loss(flat: Array) -> tuple[float, Array]:
        shift = flat.reshape(shape)
        found = softmax(logits + places @ shift)
        likelihood = -np.log(found[rows, labels].clip(1e-300)) @ weights
        found[rows, labels] -= 1.0
        slope = places.T @ (found * weights[:, np.newaxis]) + pull * shift
        return float(likelihood + pull / 2 * np.square(shift).sum()), slope.ravel()

    start = np.zeros(shape[0] * shape[1])
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _STEPS, "ftol": _ENOUGH},
    )
    return np.asarray(found.x, dtype=np.float64).reshape(shape)
