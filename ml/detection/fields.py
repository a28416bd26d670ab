"""Annotated smear fields: the boxes of BCCD and of TXL-PBC, read into one form."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.data.records import Record
from ml.datasets import read_pbc
from ml.detection.candidates import diameters_of, lie_within, overlaps
from ml.detection.objects import ERYTHROCYTE, LEUKOCYTE, PLATELET, WHITE_TO_RED
from ml.errors import DatasetError

BCCD: Final = "bccd"
TXL_BCCD: Final = "txl-bccd"
TXL_PBC: Final = "txl-pbc"
TXL_BCDD: Final = "txl-bcdd"
SOURCES: Final = (BCCD, TXL_BCCD, TXL_PBC, TXL_BCDD)

_NAMES: Final[Mapping[str, int]] = {"RBC": ERYTHROCYTE, "WBC": LEUKOCYTE, "Platelets": PLATELET}
_SHARED: Final = (
    (8, 49), (12, 43), (19, 38), (20, 37), (28, 33), (50, 52), (59, 107), (60, 106), (61, 104),
    (62, 105), (64, 102), (66, 101), (69, 97), (71, 96), (72, 94), (73, 93), (75, 91), (76, 90),
)  # fmt: skip
"""Pictures of BCDD that show the same cells, by number, as ml/data/duplicates.py finds: the smear
was scanned there and back. In BCCD and TXL-PBC's crops of PBC it finds none beyond their groups."""
_LEAST_SIDE: Final = 5.0
"""Boxes with a shorter side, in pixels, are slips; the smallest platelets have 14."""
_DOUBLE: Final = 0.8
"""Two boxes of a kind that overlap by more are one cell boxed twice."""


@dataclass(frozen=True, slots=True)
class AnnotatedField:
    """A picture with boxes float32[N, 4] (x0, y0, x1, y1 in pixels) of kinds int64[N].

    `record` names it: its label is the laboratory, its group joins what shows the same cells.
    """

    record: Record
    source: str
    original: str
    """The picture's name in its first publication: two fields of one name are one picture."""
    boxes: NDArray[np.float32]
    kinds: NDArray[np.int64]

    @property
    def is_complete(self) -> bool:
        """Whether cells that overlap or are cut have boxes too; in BCCD's own lists many lack.

        TXL-PBC boxed 117 BCCD fields anew: 2,317 red cells for 1,369, 117 platelets for 87.
        """
        return self.source != BCCD

    def red_cell(self, width: int, height: int) -> float:
        """Median diameter in pixels of the red cells that the picture's edge does not cut.

        Falls back on cut ones, then on white cells; raises DatasetError where there are neither.
        """
        is_red = self.kinds == ERYTHROCYTE
        inside = lie_within(self.boxes, 2, 2, width - 2, height - 2)
        diameters = diameters_of(self.boxes)
        for chosen in (is_red & inside, is_red):
            if chosen.any():
                return float(np.median(diameters[chosen]))
        if (self.kinds == LEUKOCYTE).any():
            return float(np.median(diameters[self.kinds == LEUKOCYTE])) / WHITE_TO_RED
        raise DatasetError(f"{self.record.key} has no red or white cell to take its scale from.")


@dataclass(slots=True)
class FieldListing:
    """The fields of a source, and what was left out and why."""

    fields: list[AnnotatedField]
    left_out: Counter[str] = field(default_factory=Counter)


def read_bccd_fields(data_dir: Path) -> FieldListing:
    """The fields of `data_dir`/bccd with their own boxes; groups are those of cells.csv."""
    root = data_dir / "bccd"
    listing = FieldListing([])
    boxes = _read_boxes(root / "boxes.csv", listing)
    for name, group in _bccd_groups(data_dir).items():
        record = Record(root / "images" / name, label=BCCD, group=group, key=f"bccd/{name}")
        _add(listing, record, BCCD, name, boxes.get(name, []))
    return listing


def read_txl_fields(data_dir: Path) -> FieldListing:
    """The pictures of `data_dir`/txl; one of BCCD or PBC has the group of its original there.

    A picture whose original is not at hand is left out, as nobody knows what it overlaps.
    """
    root = data_dir / "txl"
    listing = FieldListing([])
    boxes = _read_boxes(root / "boxes.csv", listing)
    groups = {"BCCD": _bccd_groups(data_dir), "PBC": _pbc_groups(data_dir)}
    for row in _rows(root / "index.csv"):
        laboratory, original = row["source"], row["original"]
        name = original if laboratory == "BCCD" else PurePosixPath(original).stem
        group = groups[laboratory].get(name) if laboratory in groups else _bcdd_group(name)
        if group is None:
            listing.left_out["picture whose original is not in its set"] += 1
            continue
        label = laboratory.lower()
        record = Record(
            root / "images" / row["file"], label=label, group=group, key=f"txl/{row['file']}"
        )
        _add(listing, record, f"txl-{label}", original, boxes.get(row["file"], []))
    return listing


def read_fields(data_dir: Path) -> list[AnnotatedField]:
    """Everything of both sets; a BCCD field that TXL-PBC boxed anew is listed with either's."""
    return [*read_bccd_fields(data_dir).fields, *read_txl_fields(data_dir).fields]


def densest(fields: Sequence[AnnotatedField]) -> list[AnnotatedField]:
    """Each picture once, with the boxes of TXL-PBC where it has any: they leave out fewer cells."""
    boxed_anew = {each.original for each in fields if each.source == TXL_BCCD}
    return [each for each in fields if each.source != BCCD or each.original not in boxed_anew]


_Boxes = list[tuple[int, list[float]]]


def _read_boxes(path: Path, listing: FieldListing) -> dict[str, _Boxes]:
    """Kinds and corners of each file's usable boxes."""
    boxes: dict[str, _Boxes] = defaultdict(list)
    for row in _rows(path):
        corners = [float(row[name]) for name in ("xmin", "ymin", "xmax", "ymax")]
        if min(corners[2] - corners[0], corners[3] - corners[1]) < _LEAST_SIDE:
            listing.left_out["degenerate box"] += 1
        else:
            boxes[row["file"]].append((_NAMES[row["class"]], corners))
    return boxes


def _add(listing: FieldListing, record: Record, source: str, original: str, boxes: _Boxes) -> None:
    if all(kind == PLATELET for kind, _ in boxes):
        listing.left_out["field without a box of a red or white cell"] += 1
        return
    corners = np.array([corners for _, corners in boxes], dtype=np.float32)
    kinds = np.array([kind for kind, _ in boxes], dtype=np.int64)
    is_first = np.array([not _is_double(index, corners, kinds) for index in range(len(kinds))])
    listing.left_out["box drawn twice"] += int((~is_first).sum())
    listing.fields.append(
        AnnotatedField(record, source, original, corners[is_first], kinds[is_first])
    )


def _is_double(index: int, boxes: NDArray[np.float32], kinds: NDArray[np.int64]) -> bool:
    same = overlaps(boxes[index], boxes[:index]) > _DOUBLE
    return bool((same & (kinds[:index] == kinds[index])).any())


def _bccd_groups(data_dir: Path) -> dict[str, str]:
    """Group of each BCCD field; also of those whose white cell has no label."""
    rows = _rows(data_dir / "bccd" / "cells.csv")
    return {row["file"]: f"bccd/{row['group']}" for row in rows}


def _pbc_groups(data_dir: Path) -> dict[str, str]:
    """Group of each PBC picture by its name without ending, which TXL-PBC keeps."""
    return {record.path.stem: f"pbc/{record.group}" for record in read_pbc(data_dir)}


def _bcdd_group(name: str) -> str:
    """A picture's own name, or the first of two that overlap."""
    return "bcdd/" + {f"image-{second}": f"image-{first}" for first, second in _SHARED}.get(
        name, name
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}.") from error
