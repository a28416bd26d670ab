"""Read one field, and describe it as `classify` prints it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from classifier.command_line.cells import Line, describe_prediction
from classifier.command_line.files import ImageFile, Item
from classifier.inference import get_classifier, get_detector
from ml.fields.features import FieldFeatures, describe
from ml.fields.reading import FieldFindings, FoundCell, read_field

logger = logging.getLogger(__name__)

CellPlace = tuple[ImageFile, int]
"""A cell: its field and its index among that field's cells."""


@dataclass(frozen=True, slots=True)
class Field:
    """What is kept of a field until all of its folder are read; its pixels are not.

    `findings` and `features` are None where `error` says why the field gave nothing.
    """

    file: ImageFile
    sha256: str = ""
    findings: FieldFindings | None = None
    features: FieldFeatures | None = None
    error: str = ""
    seconds: float = 0.0


def read(item: Item) -> Field:
    """Find and name the cells of a decoded field; whatever stops it ends up in `error`.

    Raises ArtifactError if a release is missing or is not what its spec says.
    """
    if item.pixels is None:
        return Field(item.file, error=item.error)
    detector, classifier = get_detector(), get_classifier()
    started = time.perf_counter()
    try:
        findings = read_field(detector, classifier, item.pixels)
        features = describe(item.pixels)
    except Exception:  # one odd field must not lose the others of its folder
        logger.exception("field_not_read")
        return Field(item.file, error="The field could not be read: an error in the program.")
    seconds = item.seconds + time.perf_counter() - started
    return Field(item.file, item.sha256, findings, features, seconds=seconds)


def describe_field(
    field: Field, findings: FieldFindings, repeat_of: Mapping[int, CellPlace]
) -> Line:
    """The line of a field; `repeat_of` maps cells, by index, to those that are counted."""
    detector, classifier = get_detector(), get_classifier()
    scale = findings.scale
    return {
        "file": str(field.file.path),
        "sha256": field.sha256,
        "kind": "field",
        "model": {"name": classifier.name, "version": classifier.version},
        "detector": {"name": detector.name, "version": detector.version},
        "red_cell": {
            "diameter": round(scale.red_cell, 2),
            "cells": scale.cells,
            "basis": scale.basis,
        },
        "cells": [
            _describe_cell(index, cell, repeat_of.get(index))
            for index, cell in enumerate(findings.cells)
        ],
        "seconds": round(field.seconds, 4),
    }


def _describe_cell(index: int, cell: FoundCell, repeat_of: CellPlace | None) -> Line:
    found, prediction = cell.detection, cell.prediction
    line = {
        "index": index,
        "box": found.box.as_list(),
        "type": found.kind if prediction is None else prediction.cell_type,
        "detection_confidence": round(found.confidence, 6),
        "at_edge": found.at_edge,
        "repeat_of": repeat_of and {"file": str(repeat_of[0].path), "cell": repeat_of[1]},
    }
    return line if prediction is None else line | describe_prediction(prediction)
