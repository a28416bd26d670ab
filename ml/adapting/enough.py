"""Which cells of a laboratory a release can be adapted to, and whether they are enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ml.card_words import words
from ml.data.records import Record
from ml.errors import DatasetError

LEAST_CELLS: Final = 100
"""In all. The limit of novelty is a 99th percentile, which fewer cells don't have, and before and
after would be told from few more than 20 cells a fold; docs/models.md has the learning curve."""

LEAST_OF_CLASS: Final = 10
LEAST_GROUPS: Final = 5
"""Of a class: one for each fold of the cross-validation that says what adapting is worth."""

LEAST_CLASSES: Final = 2


@dataclass(frozen=True, slots=True)
class Chosen:
    """Cells to adapt to, and how many of each class were left out, as there were too few."""

    records: Sequence[Record]
    left_out: dict[str, int]

    def counts(self) -> dict[str, dict[str, int]]:
        """Cells and groups of each class."""
        return {
            label: {"cells": len(mine), "groups": len({record.group for record in mine})}
            for label, mine in _by_label(self.records).items()
        }


def choose_cells(records: Sequence[Record], class_names: Sequence[str]) -> Chosen:
    """The cells of the classes that have enough; raises DatasetError if they don't suffice."""
    by_label = _by_label(records)
    kept = [
        label
        for label, mine in by_label.items()
        if label in class_names
        and len(mine) >= LEAST_OF_CLASS
        and len({record.group for record in mine}) >= LEAST_GROUPS
    ]
    chosen = [record for record in records if record.label in kept]
    if len(chosen) < LEAST_CELLS or len(kept) < LEAST_CLASSES:
        raise DatasetError(_too_few(by_label, len(chosen)))
    left_out = {label: len(mine) for label, mine in by_label.items() if label not in kept}
    return Chosen(chosen, left_out)


def _by_label(records: Sequence[Record]) -> dict[str, list[Record]]:
    labels = sorted({record.label for record in records})
    return {label: [each for each in records if each.label == label] for label in labels}


def _too_few(by_label: dict[str, list[Record]], usable: int) -> str:
    counts = Counter({label: len(mine) for label, mine in by_label.items()})
    told = ", ".join(f"{count} {words(label)}" for label, count in counts.most_common())
    return (
        f"Too few cells to adapt to: {usable} can be used. At least {LEAST_CELLS} are needed, of "
        f"{LEAST_CLASSES} or more classes that the version names, each with {LEAST_OF_CLASS} cells "
        f"of {LEAST_GROUPS} patients. There are: {told or 'none'}. Review more cells first."
    )
