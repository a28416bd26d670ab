"""Values that cross the boundary of `ml`; no TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A rectangle in pixels of the upright image; origin top left, x1 and y1 exclusive."""

    x0: int
    y0: int
    x1: int
    y1: int

    def __post_init__(self) -> None:
        if not (0 <= self.x0 < self.x1 and 0 <= self.y0 < self.y1):
            raise ValueError(f"not a box: {self}")

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0

    def as_list(self) -> list[int]:
        return [self.x0, self.y0, self.x1, self.y1]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model proposes for one cell.

    `cell_type` is UNIDENTIFIED when `referred`. `probabilities` always covers every class and sums
    to 1: it takes for granted that the picture shows a cell of one of them. `oddness` says how
    far it is from that: 0 in a typical cell, above 1 in what is refused; None if the model cannot
    tell. `confidence` is the probability of the likeliest class, less what oddness casts in doubt.

    `candidates` are the classes that the release doesn't rule out, the likeliest first: a cell is
    named if they are its likeliest class alone and it isn't odd. None may be left, where no class
    is likely enough. `embedding` is a float16 vector of length 1 whose dot product with another
    cell's, by the same release, says how alike they look (`ml/embedding.py`); None if the release
    has none.
    """

    cell_type: str
    confidence: float
    probabilities: Mapping[str, float]
    referred: bool
    oddness: float | None = None
    candidates: tuple[str, ...] = ()
    embedding: NDArray[np.float16] | None = field(default=None, compare=False, repr=False)

    @property
    def likeliest(self) -> str:
        """The class with the highest probability, also when the cell is referred."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])
