"""A second, closer look at the cells that the first one leaves in doubt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.calibration import softmax


@dataclass(frozen=True, slots=True)
class CloserLook:
    """When a network looks again, and at what size in pixels.

    It does where its likeliest class has less than `below` probability at the first look, with the
    logits divided by `temperature`. The logits of both looks are then averaged.
    """

    size: int
    temperature: float
    below: float

    def is_wanted(self, logits: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which cells need it, bool[N], by their first look's logits float32[N, C]."""
        return np.asarray(softmax(logits, self.temperature).max(axis=1) < self.below)
