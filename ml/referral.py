"""Which cells are named and which are left to a human, by sets of classes that aren't ruled out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.conformal import Score


@dataclass(frozen=True, slots=True)
class Referral:
    """The class-conditional conformal sets that decide: their score and miscoverage."""

    score: Score
    alpha: float


def is_settled(probabilities: NDArray[np.float64], held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a set bool[N, C] holds one class and that is the likeliest: bool[N].

    With a threshold a class, the only class of a set may be another than the likeliest. Nobody
    can say which of the two to believe, so such a cell isn't settled either.
    """
    likeliest = probabilities.argmax(axis=1)
    return np.asarray(
        (held.sum(axis=1) == 1) & held[np.arange(len(held)), likeliest], dtype=np.bool_
    )
