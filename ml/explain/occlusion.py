"""Cover parts of a view and ask the network again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.explain.network import BATCH, Network
from ml.nucleus import empty_colour

EMPTY: Final = "empty"
"""Covered with the colour of the empty slide, as if nothing lay there."""

BLUR: Final = "blur"
"""Covered with the picture itself, blurred until no shape is left."""

_BLUR_SHARE: Final = 0.12
"""Deviation of the blur over the side of the view; a nucleus measures about 0.5."""


def covering(view: NDArray[np.uint8], kind: str) -> NDArray[np.float32]:
    """What covered parts of a uint8[S, S, 3] view are replaced by: float32[S, S, 3], 0 to 255."""
    if kind == EMPTY:
        return np.broadcast_to(empty_colour(view), view.shape).astype(np.float32)
    blurred = cv2.GaussianBlur(view.astype(np.float32), (0, 0), _BLUR_SHARE * view.shape[0])
    return np.asarray(blurred, dtype=np.float32)


@dataclass(slots=True)
class Counter:
    """Counts forward passes and tells a listener `(done, total)`; what it raises stops the work."""

    total: int
    listener: Callable[[int, int], None] | None = None
    done: int = field(default=0, init=False)

    def add(self, count: int) -> None:
        self.done += count
        if self.listener is not None:
            self.listener(self.done, self.total)


@dataclass(frozen=True, slots=True)
class Question:
    """The probability of one class of one view, asked anew for each way of covering it."""

    network: Network
    view: NDArray[np.uint8]
    index: int
    counter: Counter

    def ask(
        self, masks: Iterable[NDArray[np.float32]], cover: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Probabilities float64[N] under lots of masks float32[n, S, S]: 1 shows, 0 covers."""
        shown = self.view.astype(np.float32) - cover
        answers = []
        for lot in masks:
            views = cover + lot[..., None] * shown
            answers.append(self.network.probabilities(views)[:, self.index])
            self.counter.add(len(lot))
        return np.concatenate(answers)

    def ask_parts(
        self,
        shown: NDArray[np.bool_],
        parts: NDArray[np.float32],
        cover: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """Probabilities float64[N] when only the parts in bool[N, M] show; parts float32[M, S, S].

        The parts are soft and add up to 1, so that no edge appears where two shown ones meet.
        """
        flat = parts.reshape(len(parts), -1)
        lots = (
            (shown[start : start + BATCH].astype(np.float32) @ flat).reshape(-1, *parts.shape[1:])
            for start in range(0, len(shown), BATCH)
        )
        return self.ask(lots, cover)
