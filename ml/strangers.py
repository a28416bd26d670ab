"""White cells cut from BCCD fields: another laboratory, never trained on, to estimate transfer."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.classes import LEUKOCYTES
from ml.errors import DatasetError
from ml.preprocessing import background_colour, decode_image
from ml.types import BoundingBox

PBC_MARGIN = 2.2
"""Frame side over cell size in PBC (a cell fills 0.45 of its frame)."""


@dataclass(frozen=True, slots=True)
class StrangeCell:
    """A labelled cell in a field."""

    field: Path
    box: BoundingBox
    label: str


def read_bccd_cells(data_dir: Path) -> list[StrangeCell]:
    """List the fields of `data_dir`/bccd that have one usable white-cell box and one label."""
    root = data_dir / "bccd"
    try:
        boxes = white_boxes(root / "boxes.csv")
        with (root / "cells.csv").open(newline="", encoding="utf-8") as lines:
            labels = {row["file"]: row["label"] for row in csv.DictReader(lines)}
    except OSError as error:
        raise DatasetError(f"No BCCD image set in {root}: {error.strerror}.") from error
    return [
        StrangeCell(field=root / "images" / name, box=boxes[name][0], label=label)
        for name, label in sorted(labels.items())
        if label in LEUKOCYTES and len(boxes[name]) == 1
    ]


def white_boxes(path: Path) -> dict[str, list[BoundingBox]]:
    """The usable white-cell boxes of each file in a boxes.csv."""
    boxes: dict[str, list[BoundingBox]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            corners = [max(0, int(float(row[name]))) for name in ("xmin", "ymin", "xmax", "ymax")]
            is_degenerate = corners[2] - corners[0] < 10 or corners[3] - corners[1] < 10
            if row["class"] == "WBC" and not is_degenerate:
                boxes[row["file"]].append(BoundingBox(*corners))
    return boxes


def cut_cell(pixels: NDArray[np.uint8], box: BoundingBox, *, margin: float) -> NDArray[np.uint8]:
    """Cut a square of `margin` times the box's longer side round its centre.

    What lies outside the field is filled with the field's background colour.
    """
    side = max(1, round(margin * max(box.width, box.height)))
    left = round((box.x0 + box.x1 - side) / 2)
    top = round((box.y0 + box.y1 - side) / 2)
    height, width = pixels.shape[:2]
    inside = pixels[max(0, top) : top + side, max(0, left) : left + side]
    return np.asarray(
        cv2.copyMakeBorder(
            inside,
            max(0, -top),
            max(0, top + side - height),
            max(0, -left),
            max(0, left + side - width),
            cv2.BORDER_CONSTANT,
            value=[int(value) for value in background_colour(pixels)],
        ),
        dtype=np.uint8,
    )


def cut_all(cells: list[StrangeCell], *, margin: float) -> list[NDArray[np.uint8]]:
    """Decode each field and cut its cell."""
    return [
        cut_cell(decode_image(cell.field.read_bytes()).pixels, cell.box, margin=margin)
        for cell in cells
    ]
