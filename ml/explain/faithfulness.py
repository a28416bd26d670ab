"""Does a map point at what the network uses: deletion and insertion, against random maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.explain.network import BATCH
from ml.explain.occlusion import BLUR, EMPTY, Question, covering

STEPS: Final = BATCH
"""Points of a curve, both ends included: one batch."""

RANDOM_MAPS: Final = 4
_RANDOM_GRID: Final = 5
"""Random maps have this many places a side: coarse, as the explanations are."""

EVALUATIONS: Final = 2 * STEPS * (1 + RANDOM_MAPS)


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Curves float64[STEPS] of the probability as ever more of the view is covered or shown."""

    deletion_curve: NDArray[np.float64]
    insertion_curve: NDArray[np.float64]
    random_deletion: float
    random_insertion: float

    @property
    def deletion(self) -> float:
        """Area under the curve as the explained places go first, 0 to 1; lower is better."""
        return area(self.deletion_curve)

    @property
    def insertion(self) -> float:
        """Area under the curve as the explained places come first, 0 to 1; higher is better."""
        return area(self.insertion_curve)


def score_map(question: Question, plane: NDArray[np.float32], *, seed: int) -> Faithfulness:
    """Score a map float32[S, S] of a view by the causal metrics of RISE (Petsiuk et al. 2018).

    Deletion lays the empty slide's colour over the places of highest value first. Insertion
    uncovers them first from a blurred view. Both areas are also given for random maps of blobs.
    """
    chance = random_maps(plane.shape[0], RANDOM_MAPS, seed=seed)
    return Faithfulness(
        deletion_curve=delete(question, plane),
        insertion_curve=insert(question, plane),
        random_deletion=float(np.mean([area(delete(question, other)) for other in chance])),
        random_insertion=float(np.mean([area(insert(question, other)) for other in chance])),
    )


def delete(question: Question, plane: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities float64[STEPS] while the places of a map are covered, the highest first."""
    return question.ask(_masks(plane, is_insertion=False), covering(question.view, EMPTY))


def insert(question: Question, plane: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities float64[STEPS] while the places of a map are uncovered, the highest first."""
    return question.ask(_masks(plane, is_insertion=True), covering(question.view, BLUR))


def random_maps(size: int, count: int, *, seed: int) -> list[NDArray[np.float32]]:
    """Maps float32[size, size] of smooth noise."""
    rng = np.random.default_rng(seed)
    noise = rng.random((count, _RANDOM_GRID, _RANDOM_GRID), dtype=np.float32)
    return [np.asarray(cv2.resize(each, (size, size))) for each in noise]


def area(curve: NDArray[np.float64]) -> float:
    """Area under a curve over 0 to 1, by trapezoids."""
    return float(np.trapezoid(curve, dx=1.0 / (len(curve) - 1)))


def _masks(plane: NDArray[np.float32], *, is_insertion: bool) -> Iterator[NDArray[np.float32]]:
    """All the masks of a curve, float32[STEPS, S, S]; equal places go from top to bottom."""
    order = np.argsort(-plane, axis=None, kind="stable")
    rank = np.empty(plane.size)
    rank[order] = np.arange(plane.size) / plane.size
    turns = np.linspace(0.0, 1.0, STEPS)[:, None, None]
    is_reached = rank.reshape(plane.shape)[None] < turns
    yield (is_reached if is_insertion else ~is_reached).astype(np.float32)
