"""Read a field: find its cells, and name the white ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ml.cutting import cut_cells
from ml.detection.objects import Detection, FieldReading, FieldScale
from ml.types import Prediction


class Detector(Protocol):
    """Finds the cells of a field."""

    def detect(self, pixels: NDArray[np.uint8]) -> FieldReading:
        """Find every cell of a uint8[H, W, 3] RGB field."""
        ...


class Classifier(Protocol):
    """Names cells."""

    def classify(self, images: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """Predict every uint8[H, W, 3] RGB picture of one cell, in order."""
        ...


@dataclass(frozen=True, slots=True)
class FoundCell:
    """A cell of a field; `prediction` is None in red cells and platelets, which need no name."""

    detection: Detection
    prediction: Prediction | None


@dataclass(frozen=True, slots=True)
class FieldFindings:
    """All cells of a field, the surest first, and how large a red cell is in it."""

    scale: FieldScale
    cells: tuple[FoundCell, ...]


def read_field(
    detector: Detector, classifier: Classifier, pixels: NDArray[np.uint8]
) -> FieldFindings:
    """Find the cells of a uint8[H, W, 3] RGB field and name the white ones, cut ones included."""
    reading = detector.detect(pixels)
    boxes = [found.box for found in reading.of_kind("leukocyte")]
    predictions = iter(classifier.classify(cut_cells(pixels, boxes)))
    return FieldFindings(
        reading.scale,
        tuple(
            FoundCell(found, next(predictions) if found.kind == "leukocyte" else None)
            for found in reading.detections
        ),
    )
