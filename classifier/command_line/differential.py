"""Count the cells of what was named: the differential of `classify --differential`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from classifier.command_line.cells import Line
from classifier.counting import apportion_percent, as_percent, clopper_pearson, per_hundred
from classifier.enums import LEUKOCYTES, CellType

_COUNTED_IN_ALL = (CellType.ERYTHROCYTE.value, CellType.PLATELET.value)
"""Counted wherever they are seen, in a field's edge and overlap too: they are given a field."""


class Tally:
    """Adds up the lines of one folder that was named, or of all files named themselves.

    White cells that a field's edge cuts, and those that are counted in another field, are left
    out. `classes` are what the classifier can tell.
    """

    def __init__(self, path: Path | None, classes: Iterable[str]) -> None:
        self._path = path
        self._classes = [name.value for name in LEUKOCYTES if name.value in set(classes)]
        self._pictures: Counter[str] = Counter()
        self._cells: Counter[str] = Counter()
        self._in_fields: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()

    def add(self, line: Line) -> None:
        """Count what one file showed."""
        if "error" in line:
            self._pictures["failed"] += 1
            return
        self._pictures[line["kind"]] += 1
        for cell in line["cells"]:
            if cell["type"] in _COUNTED_IN_ALL:
                self._count(cell["type"], line["kind"])
            elif cell.get("repeat_of"):
                self._left_out["repeats"] += 1
            elif cell.get("at_edge"):
                self._left_out["at_edge"] += 1
            else:
                self._count(cell["type"], line["kind"])

    def _count(self, name: str, kind: str) -> None:
        self._cells[name] += 1
        self._in_fields[name] += kind == "field"

    def as_dict(self) -> Line:
        """The differential as JSON has it; None where nothing was counted to divide by."""
        leukocytes = sum(self._cells[name] for name in self._classes)
        erythroblasts = self._cells[CellType.ERYTHROBLAST]
        return {
            "path": None if self._path is None else str(self._path),
            "fields": self._pictures["field"],
            "single_cells": self._pictures["cell"],
            "failed": self._pictures["failed"],
            "leukocytes": leukocytes,
            "classes": self._by_class(leukocytes),
            "unidentified": self._cells[CellType.UNIDENTIFIED],
            "erythroblasts": erythroblasts,
            "erythroblasts_per_100_leukocytes": (
                float(per_hundred(erythroblasts, leukocytes)) if leukocytes else None
            ),
            "erythrocytes": self._cells[CellType.ERYTHROCYTE],
            "erythrocytes_per_field": self._per_field(CellType.ERYTHROCYTE),
            "platelets": self._cells[CellType.PLATELET],
            "platelets_per_field": self._per_field(CellType.PLATELET),
            "not_counted": {name: self._left_out[name] for name in ("at_edge", "repeats")},
        }

    def _by_class(self, leukocytes: int) -> dict[str, Line]:
        counts = [self._cells[name] for name in self._classes]
        shares = apportion_percent(counts)
        return {
            name: _share(count, leukocytes, percent)
            for name, count, percent in zip(self._classes, counts, shares, strict=True)
        }

    def _per_field(self, name: str) -> float | None:
        fields = self._pictures["field"]
        return round(self._in_fields[name] / fields, 1) if fields else None


def _share(count: int, total: int, percent: Decimal) -> Line:
    """Percent with one decimal, and the exact binomial 95 % interval that sampling leaves."""
    if not total:
        return {"count": count, "percent": None, "interval_95": None}
    limits = [float(as_percent(limit)) for limit in clopper_pearson(count, total)]
    return {"count": count, "percent": float(percent), "interval_95": limits}
