"""What the detector finds in a field, and the one scale at which it looks; no TensorFlow here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ml.types import BoundingBox

ObjectKind = Literal["erythrocyte", "leukocyte", "platelet"]
KINDS: Final[tuple[ObjectKind, ...]] = ("erythrocyte", "leukocyte", "platelet")
ERYTHROCYTE, LEUKOCYTE, PLATELET = range(len(KINDS))

RED_CELL: Final = 40
"""Diameter in pixels of the median red cell, 7 to 8 micrometres, as the network sees it.

A platelet is then some 15 pixels wide and a white cell 60 to 100: enough for either, and a field
of 640 x 480 pixels under the 100x lens shrinks to 250 x 190.
"""

WHITE_TO_RED: Final = 1.75
"""Median white over median red cell: 1.85 in BCCD, 1.80 in PBC, 1.58 in BCDD (their boxes)."""

STRIDE: Final = 4
"""Pixels between neighbouring places of the network's output."""


_EDGE: Final = 0.06
"""How near to the picture's edge a box touches it, in red cells."""


def edge_of(red_cell: float) -> float:
    """Distance in pixels from the picture's edge within which a box touches it, at least 1."""
    return max(1.0, _EDGE * red_cell)


@dataclass(frozen=True, slots=True)
class Detection:
    """One object, its box in pixels of the field.

    `confidence` is the network's own, 0..1, and no probability. `at_edge` means that the picture's
    edge touches the box: part of the object may lie outside.
    """

    box: BoundingBox
    kind: ObjectKind
    confidence: float
    at_edge: bool


@dataclass(frozen=True, slots=True)
class FieldScale:
    """How large a red cell is in a field, and what that was taken from.

    `red_cell` is the median diameter in pixels of the field, the root of width times height;
    `cells` is how many red cells, or white cells, it rests on: none if `basis` is "picture", where
    neither was found and the size of the picture had to do.
    """

    red_cell: float
    cells: int
    basis: Literal["erythrocytes", "leukocytes", "picture"]


@dataclass(frozen=True, slots=True)
class FieldReading:
    """Everything found in a field, the most confident first."""

    scale: FieldScale
    detections: tuple[Detection, ...]

    def of_kind(self, kind: ObjectKind) -> list[Detection]:
        """The detections of one kind."""
        return [detection for detection in self.detections if detection.kind == kind]
