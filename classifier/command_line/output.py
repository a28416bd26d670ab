"""What `classify` prints: a line of JSON each, or lines for people."""

from __future__ import annotations

import json
import os
from collections import Counter

from classifier.command_line.cells import Line
from classifier.enums import CellType


def as_json(line: Line) -> str:
    """One line of JSON, pure ASCII, so that any file name survives."""
    return json.dumps(line)


def as_text(line: Line) -> str:
    """One line for people: what the picture shows, or why that cannot be told."""
    name = _readable(line["file"])
    if "error" in line:
        return _columns("failed", "", f"{name}: {line['error']}")
    if line["kind"] == "field":
        return _columns("field", "", f"{name}: {_summary(line['cells'])}")
    (cell,) = line["cells"]
    mark = "  (referred to a human)" if cell["referred"] else ""
    return _columns(cell["type"], f"{cell['confidence']:.2%}", f"{name}{mark}")


def differential_as_text(found: Line) -> str:
    """A small table: the leukocytes by class, and what was counted beside them."""
    place = _readable(found["path"]) if found["path"] else "the files named"
    pictures = f"{_number(found['fields'], 'field')}, {_number(found['single_cells'], 'cell')}"
    rows = [
        f"differential of {place}: {_number(found['leukocytes'], 'leukocyte')} ({pictures})",
        *(_row(name, share) for name, share in found["classes"].items()),
        _aside("unidentified", found["unidentified"]),
        _aside(
            "erythroblasts",
            found["erythroblasts"],
            _rate(found["erythroblasts_per_100_leukocytes"], "per 100 leukocytes"),
        ),
        *(
            _aside(name, found[name], _rate(found[f"{name}_per_field"], "a field"))
            for name in ("erythrocytes", "platelets")
        ),
        _aside("at the edge", found["not_counted"]["at_edge"], "not counted"),
        _aside("repeats", found["not_counted"]["repeats"], "not counted"),
    ]
    return "\n".join(rows)


def _columns(kind: str, confidence: str, rest: str) -> str:
    return f"{kind:22} {confidence:>7}  {rest}"


def _readable(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def _summary(cells: list[Line]) -> str:
    """White cells by class, the most frequent first, then red cells, platelets and the rest."""
    white = [cell for cell in cells if "referred" in cell]
    kinds = Counter(cell["type"] for cell in cells if "referred" not in cell)
    named = ", ".join(f"{n} {name}" for name, n in Counter(c["type"] for c in white).most_common())
    edge, repeats = (sum(bool(cell[key]) for cell in white) for key in ("at_edge", "repeat_of"))
    return (
        f"{_number(len(white), 'white cell')}{f' ({named})' if named else ''}, "
        f"{_number(kinds[CellType.ERYTHROCYTE.value], 'red cell')}, "
        f"{_number(kinds[CellType.PLATELET.value], 'platelet')}; "
        f"{edge} at the edge, {_number(repeats, 'repeat')}"
    )


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _row(name: str, share: Line) -> str:
    if share["percent"] is None:
        return f"  {name:20} {share['count']:6}"
    low, high = share["interval_95"]
    return f"  {name:20} {share['count']:6}  {share['percent']:5.1f} %  ({low:.1f} to {high:.1f})"


def _aside(name: str, count: int, note: str = "") -> str:
    return f"  {name:20} {count:6}  {note}".rstrip()


def _rate(rate: float | None, unit: str) -> str:
    return "" if rate is None else f"{rate:.1f} {unit}"
