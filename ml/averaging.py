"""Average a network's weights over its training, which generalises better than the last step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import keras
import numpy as np

SHARE: Final = 0.998
"""Share of itself that the average keeps at each step."""


class MovingAverage:
    """Exponential average of all weights (Polyak & Juditsky 1992; Tarvainen & Valpola 2017)."""

    def __init__(self, model: keras.Model, share: float) -> None:
        self._model = model
        self._share = share
        self._steps = 0
        self._weights = model.get_weights()

    def update(self) -> None:
        """Take in the present weights; the first steps are forgotten sooner."""
        self._steps += 1
        keep = min(self._share, (1 + self._steps) / (10 + self._steps))
        self._weights = [
            average + np.float32(1.0 - keep) * (weight - average)
            for average, weight in zip(self._weights, self._model.get_weights(), strict=True)
        ]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model hold the average while the block runs."""
        present = self._model.get_weights()
        self._model.set_weights(self._weights)
        try:
            yield
        finally:
            self._model.set_weights(present)

    def save(self, path: Path) -> None:
        """Keep the average beside the checkpoint."""
        np.savez(path, steps=self._steps, **{str(i): w for i, w in enumerate(self._weights)})

    def load(self, path: Path) -> None:
        """Take up what `save` kept; raises OSError if there is nothing."""
        with np.load(path) as kept:
            self._steps = int(kept["steps"])
            self._weights = [kept[str(index)] for index in range(len(self._weights))]
