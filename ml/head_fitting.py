"""Fit a network's dense layer anew on pooled features, near the one that it had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ml.calibration import softmax

ANCHOR: Final = 0.003
"""Weight of the squared distance from the former layer. From 0.1 to 0.001 the recalls on PBC's test
fold stay within two cells a class."""

RARE: Final = 25
"""Up to so many cells a class counts in proportion to them; above, as much as any other class."""

_MOST_STEPS: Final = 400

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DenseLayer:
    """Weights float64[K, C] and biases float64[C] from pooled features to logits."""

    kernel: Array
    bias: Array

    def logits(self, features: NDArray[np.floating]) -> Array:
        """Logits float64[N, C] of features [N, K]."""
        return np.asarray(features @ self.kernel + self.bias, dtype=np.float64)


def class_weights(labels: NDArray[np.int64]) -> Array:
    """Weights float64[N] with which every class of at least RARE cells counts 1 in all."""
    counts = np.bincount(labels)
    return np.asarray(1.0 / np.maximum(counts[labels], RARE))


def fit_layer(
    start: DenseLayer,
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: Array,
    *,
    anchor: float = ANCHOR,
) -> DenseLayer:
    """The layer of least weighted cross-entropy plus `anchor` / 2 times its distance squared.

    Multinomial logistic regression with a Gaussian prior round the former layer, so that what the
    cells don't speak of stays as it was (L2-SP: Li, Grandvalet and Davoine, ICML 2018). The
    problem is convex: the answer doesn't depend on chance. Features float32[N, K], class indices
    int64[N], weights float64[N].
    """
    shape = start.kernel.shape
    rows = np.hstack([features.astype(np.float64), np.ones((len(features), 1))])
    origin = np.vstack([start.kernel, start.bias]).ravel()
    shares = weights / weights.sum()
    places = np.arange(len(labels))

    def loss(flat: Array) -> tuple[float, Array]:
        chances = softmax(rows @ flat.reshape(-1, shape[1]))
        off = flat - origin
        value = -(shares * np.log(chances[places, labels].clip(1e-12))).sum()
        chances[places, labels] -= 1.0
        slope = (rows.T @ (chances * shares[:, np.newaxis])).ravel() + anchor * off
        return float(value + anchor / 2 * off @ off), slope

    found = minimize(loss, origin, jac=True, method="L-BFGS-B", options={"maxiter": _MOST_STEPS})
    layer = found.x.reshape(-1, shape[1])
    return DenseLayer(layer[:-1], layer[-1])
