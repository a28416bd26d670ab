"""White cells cut from BCCD fields: another laboratory, never trained on, to estimate transfer."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.classes import LEUKOCYTES
from ml.cutting import cut_cell
from ml.errors import DatasetError
from ml.preprocessing import decode_image
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


def cut_all(cells: list[StrangeCell], *, margin: float) -> list[NDArray[np.uint8]]:
    """Decode each field and cut its cell."""
    return [
        cut_cell(decode_image(cell.field.read_bytes()).pixels, cell.box, margin=margin)
        for cell in cells
    ]
