"""The PBC image set as records, and what is done with records of any set."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ml.classes import CELL_CLASSES
from ml.data.pixels import cached_pixels, load_pixels
from ml.data.records import Record, fingerprint, labels_of
from ml.data.splits import FOLDS, SHARES, check_no_leak, folds_by_group, split_by_group
from ml.errors import DatasetError

__all__ = [
    "FOLDS", "SHARES", "Record", "cached_pixels", "check_no_leak", "fingerprint",
    "folds_by_group", "labels_of", "load_pixels", "read_pbc", "read_pbc_index",
    "split_by_group",
]  # fmt: skip

_PBC_NAMES: Final[Mapping[str, str]] = {"ig": "immature_granulocyte"}


def read_pbc(data_dir: Path) -> list[Record]:
    """List the images of `data_dir`/pbc by its index.csv, in the index's order."""
    return read_pbc_index(data_dir / "pbc")


def read_pbc_index(root: Path) -> list[Record]:
    """List the images of the PBC folder `root` by its index.csv, in the index's order."""
    index = root / "index.csv"
    if not index.is_file():
        raise DatasetError(f"No PBC image set: {index} does not exist.")
    with index.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    records = [_pbc_record(root, row) for row in rows]
    if not records:
        raise DatasetError(f"{index} lists no image.")
    return records


def _pbc_record(root: Path, row: Mapping[str, str]) -> Record:
    label = _PBC_NAMES.get(row["class"], row["class"])
    if label not in CELL_CLASSES:
        raise DatasetError(f"{row['file']} has the unknown class {row['class']!r}.")
    return Record(path=root / row["file"], label=label, group=row["group"], key=row["file"])
