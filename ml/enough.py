"""Whether a laboratory's cells are enough to retrain a head on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from ml.data.records import Record
from ml.errors import DatasetError

FOLDS: Final = 5
LEAST_CELLS: Final = 50


def known_cells(records: Sequence[Record], class_names: Collection[str]) -> list[Record]:
    """The cells of classes that a release names; DatasetError if they don't suffice."""
    known = [record for record in records if record.label in class_names]
    patients = len({record.group for record in known})
    if len(known) < LEAST_CELLS or patients < FOLDS:
        raise DatasetError(
            f"Too few cells to retrain on: {len(known)} of {patients} patients can be used. It "
            f"takes at least {LEAST_CELLS} cells of {FOLDS} patients, of classes that the version "
            "names."
        )
    return known
