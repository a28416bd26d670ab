"""A patient's results side by side: class by class, with dates, a trend and flagged changes."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from classifier.enums import LEUKOCYTES, WHITE_COUNT, CellType
from classifier.models import Case
from classifier.selectors import differential as counts
from reports import content as c
from reports.delta import Measured, find_deltas, measure
from reports.drafting import dismissals_of, key_of, rows_of, white_count_of
from reports.models import DeltaDismissal
from reports.previous import PastResult, list_previous
from reports.trends import Point, Trend, draw

if TYPE_CHECKING:
    from accounts.models import User

SHOWN_BESIDE_CELLS = 3
ALWAYS_SHOWN = {WHITE_COUNT, *counts.USUAL_LEUKOCYTES}


@dataclass(frozen=True, slots=True)
class Column:
    """One result: the open case's own (no report), or that of a signed report."""

    accession_number: str
    case_id: uuid.UUID
    collected_at: datetime
    report_id: uuid.UUID | None
    rows: tuple[c.DifferentialRow, ...]
    white_count: c.WhiteCount | None


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flagged change, who dismissed it if anybody, and where the earlier cells are."""

    delta: c.Delta
    dismissal: DeltaDismissal | None
    case_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Line:
    """One analyte over all columns, None where it is not known there; and how it went."""

    analyte: str
    label: str
    cells: tuple[Measured | None, ...]
    trend: Trend | None
    is_flagged: bool


@dataclass(frozen=True, slots=True)
class History:
    """The table: columns newest first, and the changes of the newest that are flagged."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    flagged: tuple[Flagged, ...] = ()

    @property
    def by_date(self) -> list[tuple[Column, tuple[Measured | None, ...]]]:
        """Return each result with its values, in the order of the lines."""
        return [
            (column, tuple(line.cells[place] for line in self.lines))
            for place, column in enumerate(self.columns)
        ]


def panel_of_case(case: Case, counted: counts.Differential, user: "User") -> dict[str, Any]:
    """Return what the panel of a case shows: its result beside those the user may see."""
    previous = list_previous(case, user=user)
    history = history_of_case(case, counted, previous)
    return {"case": case, "history": history, "shown": SHOWN_BESIDE_CELLS}


def history_of_case(
    case: Case, counted: counts.Differential, previous: Sequence[PastResult]
) -> History:
    """Return the case's result as it now stands before those of the patient's earlier reports."""
    rows, white_count = rows_of(counted), white_count_of(counted)
    now = Column(
        case.accession_number, case.pk, case.specimen.collected_at, None, rows, white_count
    )
    deltas = find_deltas(case, rows, white_count, previous)
    dismissed = dismissals_of(case) if deltas else {}
    flagged = tuple(
        Flagged(delta, dismissed.get(key_of(delta)), previous[0].case_id) for delta in deltas
    )
    columns = (now, *map(_column, previous))
    names = {item.delta.analyte.code for item in flagged if item.dismissal is None}
    return History(columns, tuple(_lines(columns, names)), flagged)


def history_of_results(results: Sequence[PastResult]) -> History:
    """Return the results of signed reports alone."""
    columns = tuple(map(_column, results))
    return History(columns, tuple(_lines(columns, set())))


def _column(result: PastResult) -> Column:
    return Column(
        result.accession_number,
        result.case_id,
        result.collected_at,
        result.report_id,
        result.says.differential,
        result.says.white_count,
    )


def _lines(columns: Sequence[Column], flagged: set[str]) -> Iterator[Line]:
    """Give the white count, then each class that is usual or was seen in any of the results."""
    values = [measure(column.rows, column.white_count) for column in columns]
    seen = {row.cell_type.code for column in columns for row in column.rows if row.count}
    for analyte in (WHITE_COUNT, *LEUKOCYTES):
        cells = tuple(found.get(analyte) for found in values)
        if any(cells) and analyte in ALWAYS_SHOWN | seen:
            label = "WBC" if analyte == WHITE_COUNT else str(CellType(analyte).label)
            trend = _trend(analyte, cells, columns)
            yield Line(analyte, label, cells, trend, analyte in flagged)


def _trend(
    analyte: str, cells: Sequence[Measured | None], columns: Sequence[Column]
) -> Trend | None:
    points = [
        Point(column.collected_at, cell.value, cell.low, cell.high)
        for cell, column in zip(cells, columns, strict=True)
        if cell is not None
    ]
    return draw(points[::-1], _reference(analyte, columns[0]))


def _reference(analyte: str, column: Column) -> tuple[Decimal, Decimal] | None:
    """Return the limits of the newest result's reference, of a class in percent.

    Absolute limits of a class are converted; those of the white count stand in 10⁹/L.
    """
    if analyte == WHITE_COUNT:
        judged = column.white_count.reference if column.white_count else None
        return (judged.low, judged.high) if judged else None
    row = next((row for row in column.rows if row.cell_type.code == analyte), None)
    if row is None or row.reference is None:
        return None
    low, high = row.reference.low, row.reference.high
    if row.reference.quantity.code == "percent":
        return low, high
    if column.white_count is None or not column.white_count.basis:
        return None
    basis = column.white_count.basis
    return 100 * low / basis, min(Decimal(100), 100 * high / basis)
