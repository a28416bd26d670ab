"""A labelled image, and what names a set of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.types import BoundingBox


@dataclass(frozen=True, slots=True)
class Record:
    """One labelled image; records of one `group` show the same cell or overlapping fields."""

    path: Path
    label: str
    group: str
    key: str
    """Name of the file inside its set, the same on every machine."""

    box: BoundingBox | None = None
    """The cell within the picture; None if the picture is of one cell."""


def fingerprint(records: Iterable[Record]) -> str:
    """SHA-256 over the sorted file names and labels: names a fold without shipping its images."""
    lines = sorted(f"{record.key}\t{record.label}" for record in records)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def labels_of(records: Sequence[Record], class_names: Sequence[str]) -> NDArray[np.int64]:
    """Class indices int64[N] in the order of `class_names`."""
    index = {name: position for position, name in enumerate(class_names)}
    return np.array([index[record.label] for record in records], dtype=np.int64)
