"""A laboratory's frozen training set as a folder: one manifest and one picture a cell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ml.artifacts import sha256_of
from ml.data.records import Record
from ml.errors import DatasetError

SET_NAME: Final = "training_set.json"


@dataclass(frozen=True, slots=True)
class SetCell:
    """One cell: its picture's file in the folder, its class, and whose blood it is.

    Cells of one `group`, a patient, never lie on both sides of a split. `sha256` is the file's.
    """

    key: str
    file: str
    label: str
    group: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What names the set (`digest` is over its cells), on what basis it is used, and its cells."""

    name: str
    words: str
    licence: str
    digest: str
    cells: tuple[SetCell, ...]

    def records(self, folder: Path) -> list[Record]:
        """The cells as records, in the manifest's order."""
        return [
            Record(path=folder / cell.file, label=cell.label, group=cell.group, key=cell.key)
            for cell in self.cells
        ]


def digest_of_cells(cells: Iterable[SetCell]) -> str:
    """Hex SHA-256 over the sorted keys, classes, groups and picture hashes of the cells."""
    lines = sorted(f"{cell.key}\t{cell.label}\t{cell.group}\t{cell.sha256}" for cell in cells)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def write_set(folder: Path, training_set: TrainingSet) -> Path:
    """Write the manifest; the pictures are laid beside it by whoever has them."""
    path = folder / SET_NAME
    path.write_text(json.dumps(asdict(training_set), indent=1), encoding="utf-8")
    return path


def read_set(folder: Path) -> TrainingSet:
    """Read a set and check every picture; DatasetError if anything isn't what was frozen."""
    path = folder / SET_NAME
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        cells = tuple(SetCell(**each) for each in fields.pop("cells"))
        found = TrainingSet(**fields, cells=cells)
    except OSError as error:
        raise DatasetError(f"No training set: {path} can't be read.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DatasetError(f"{path} is no training set: {error}.") from error
    if digest_of_cells(cells) != found.digest:
        raise DatasetError(f"{path} doesn't list the cells that its hash names.")
    for cell in cells:
        _check(folder, cell)
    return found


def counts_of(labels: Sequence[str]) -> Mapping[str, int]:
    """How many of each class, in the order of the alphabet."""
    return {name: labels.count(name) for name in sorted(set(labels))}


def next_version(version: str) -> str:
    """The version after this one in the laboratory's own line: 1.3.0, 1.3.0+lab.1, 1.3.0+lab.2.

    Build metadata of semantic versions, so that the product's own numbers are never taken.
    """
    base, _, number = version.partition("+lab.")
    return f"{base}+lab.{int(number) + 1 if number.isdigit() else 1}"


def as_dict(training_set: TrainingSet) -> dict[str, Any]:
    """What a release says of the set that it learned from."""
    return {
        "name": training_set.name,
        "digest": training_set.digest,
        "cells": len(training_set.cells),
        "patients": len({cell.group for cell in training_set.cells}),
    }


def _check(folder: Path, cell: SetCell) -> None:
    """A picture lies in the folder itself and is the one that was frozen."""
    path = folder / cell.file
    if path.resolve().parent != folder.resolve() or not path.is_file():
        raise DatasetError(f"The picture of {cell.key} is missing.")
    if sha256_of(path) != cell.sha256:
        raise DatasetError(f"The picture of {cell.key} is not the one that was frozen.")
