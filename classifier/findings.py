"""What machine and human say of a cell, and the finding that follows from the two."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from classifier.enums import CellOrigin, CellType


@dataclass(frozen=True, slots=True)
class Mark:
    """What machine ("" if no run succeeded) and human ("" if none) say of one cell."""

    machine_type: str
    is_referred: bool
    human_type: str

    @property
    def finding(self) -> str:
        """The human's word, else the machine's; a referred cell is unidentified until named."""
        if self.human_type:
            return self.human_type
        return CellType.UNIDENTIFIED if self.is_unresolved else self.machine_type

    @property
    def is_unresolved(self) -> bool:
        """True while a referred or unread cell waits for a human."""
        return not self.human_type and (self.is_referred or not self.machine_type)

    @property
    def is_changed(self) -> bool:
        """True where the human overruled a class that the machine was sure of."""
        is_sure = bool(self.machine_type) and not self.is_referred
        return is_sure and bool(self.human_type) and self.human_type != self.machine_type


Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the image."""


def square_round(box: Box, side: int) -> Box:
    """Return the square of this side with the box in its middle; it may reach beyond the image."""
    x0, y0, x1, y1 = box
    left, top = (x0 + x1 - side) // 2, (y0 + y1 - side) // 2
    return left, top, left + side, top + side


def longer_side(box: Box) -> int:
    """Return the longer side of a box, in pixels."""
    x0, y0, x1, y1 = box
    return max(x1 - x0, y1 - y0)


def clipped(box: Box, size: tuple[int, int]) -> Box:
    """Return what of a box lies on an image of this width and height."""
    x0, y0, x1, y1 = box
    width, height = size
    return max(0, x0), max(0, y0), min(width, x1), min(height, y1)


def surroundings(box: Box, size: tuple[int, int]) -> Box:
    """What the large picture of a field's cell shows, in pixels of the field of this width, height.

    A square of two and a half times the box's longer side, as far as the field goes. The page's
    script counts alike (`cells.js`).
    """
    return clipped(square_round(box, 5 * longer_side(box) // 2), size)


@dataclass(frozen=True, slots=True)
class HumanMark:
    """All that reviewers say of one cell; what is empty is left to the machine.

    `at_edge` tells whether the picture's edge cuts `box`; both are given or neither.
    """

    cell_type: str = ""
    box: Box | None = None
    at_edge: bool | None = None
    is_removed: bool = False
    repeat: str = ""

    @property
    def is_empty(self) -> bool:
        """True if everything is left to the machine."""
        return self == HumanMark()

    def as_json(self) -> dict[str, Any]:
        """What was said, without what was not."""
        said = {
            "class": self.cell_type,
            "box": self.box,
            "removed": self.is_removed,
            "repeat": self.repeat,
        }
        return {name: value for name, value in said.items() if value}


def unmarked(origin: str) -> HumanMark:
    """What holds of a cell before anybody marked it: one that a reviewer added wasn't there."""
    return HumanMark(is_removed=origin == CellOrigin.HUMAN)


def likeliest(probabilities: Mapping[str, float] | None) -> str:
    """Return the class with the highest probability, "" where the machine read nothing."""
    if not probabilities:
        return ""
    return max(probabilities, key=lambda name: probabilities[name])
