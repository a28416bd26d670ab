"""The catalogue of an imported set: one row an image or cell, in catalogue.csv."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from ml.data.records import Record
from ml.data.splits import FOLDS
from ml.errors import DatasetError
from ml.types import BoundingBox

CATALOGUE_NAME: Final = "catalogue.csv"


@dataclass(frozen=True, slots=True)
class Entry:
    """One labelled image or cell as listed; what is not known yet is empty."""

    key: str
    """Name within the source, the same on every machine, unique in the catalogue."""
    path: str
    """Relative to the catalogue's folder, or absolute where the image was left in place."""
    label: str
    group: str
    """Images of one group share a cell, a field or a patient, and stay in one fold."""
    source: str
    licence: str
    sha256: str = ""
    """Of the decoded pixels, so that the same picture in another file is the same."""
    phash: str = ""
    """Perceptual hash, 16 hexadecimal digits."""
    box: str = ""
    """x0 y0 x1 y1 in pixels of the picture, if it shows more than the cell."""
    fold: str = ""


def write_catalogue(folder: Path, entries: Sequence[Entry]) -> Path:
    """Write `folder`/catalogue.csv whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CATALOGUE_NAME
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Entry)])
        writer.writeheader()
        writer.writerows(asdict(entry) for entry in entries)
    part.replace(path)
    return path


def read_catalogue(folder: Path) -> list[Entry]:
    """Read `folder`/catalogue.csv; raise DatasetError if it is absent, malformed or doubled."""
    path = folder / CATALOGUE_NAME
    if not path.is_file():
        raise DatasetError(f"No catalogue: {path} does not exist. Import an image set first.")
    with path.open(newline="", encoding="utf-8") as lines:
        try:
            rows = list(csv.DictReader(lines))
        except (UnicodeDecodeError, csv.Error) as error:
            raise DatasetError(f"{path} is no table in UTF-8: {error}.") from error
    if any(None in row.values() for row in rows):
        raise DatasetError(f"{path} has a row with fewer columns than its first.")
    try:
        entries = [Entry(**row) for row in rows]
    except TypeError as error:
        raise DatasetError(f"{path} has other columns than a catalogue.") from error
    if len({entry.key for entry in entries}) < len(entries):
        raise DatasetError(f"{path} lists a key twice.")
    return entries


def to_records(folder: Path, entries: Sequence[Entry]) -> list[Record]:
    """The entries as records to split, load and train on."""
    return [
        Record(
            path=folder / entry.path,
            label=entry.label,
            group=entry.group,
            key=f"{entry.source}/{entry.key}",
            box=_box(entry),
        )
        for entry in entries
    ]


def read_folds(folder: Path) -> dict[str, list[Record]]:
    """The records of a split catalogue by fold; raise DatasetError if it was not split."""
    entries = read_catalogue(folder)
    if any(entry.fold not in FOLDS for entry in entries):
        raise DatasetError(f"{folder} is not split yet: run `python -m ml data split`.")
    return {
        name: to_records(folder, [entry for entry in entries if entry.fold == name])
        for name in FOLDS
    }


def _box(entry: Entry) -> BoundingBox | None:
    if not entry.box:
        return None
    try:
        return BoundingBox(*map(int, entry.box.split()))
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{entry.key} has the malformed box {entry.box!r}.") from error
