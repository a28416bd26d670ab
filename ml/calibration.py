"""Turn logits into honest confidence, and decide below which confidence a human must look."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

MAX_ACCEPTED_ERROR: Final = 0.005
"""Share of wrong names tolerated among cells that are not referred, on the validation fold."""

MIN_THRESHOLD: Final = 0.5
"""A class that is not likelier than all others together is never named."""


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities float64[N, C]; rows sum to 1."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    powers = np.exp(scaled)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_temperature(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> float:
    """Find the temperature of least negative log-likelihood (Guo et al., ICML 2017).

    Fit on images that trained nothing; dividing by it never changes which class is likeliest.
    """

    def loss(log_temperature: float) -> float:
        probabilities = softmax(logits, float(np.exp(log_temperature)))
        return float(-np.log(probabilities[np.arange(len(truth)), truth].clip(1e-12)).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


def referral_threshold(
    probabilities: NDArray[np.floating],
    truth: NDArray[np.int64],
    *,
    max_error: float = MAX_ACCEPTED_ERROR,
) -> float:
    """Lowest confidence at which at most `max_error` of the accepted cells are misnamed.

    Never below MIN_THRESHOLD. If no threshold reaches it, 1.0: everything is referred.
    """
    confidence = probabilities.max(axis=1)
    wrong = probabilities.argmax(axis=1) != truth
    order = np.argsort(-confidence, kind="stable")
    error = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    # Cells of equal confidence are accepted together: only the last of each run can be a cut.
    ordered = confidence[order]
    is_cut = np.append(ordered[1:] < ordered[:-1], True)
    good = np.flatnonzero((error <= max_error) & is_cut)
    if len(good) == 0:
        return 1.0
    return float(max(MIN_THRESHOLD, np.floor(ordered[good[-1]] * 1e4) / 1e4))
