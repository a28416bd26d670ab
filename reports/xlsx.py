"""The report as an Excel workbook: a pure function of its content, equal content to equal bytes.

Sheets: what the report says of case and patient, the differential, other results, the cells
printed, what a correction changed. Times are UTC.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from xlsxwriter import Workbook

from reports.content import DifferentialRow, ReportContent
from reports.spreadsheet import Book, Cell, Column
from reports.tabular import Line, lines

_REPORT_SECTIONS = (
    "report", "patient", "request", "specimen", "interpretation", "consultation", "method",
    "limits",
)  # fmt: skip
_SHOWN_ELSEWHERE = (*_REPORT_SECTIONS, "differential", "change")
_STATEMENTS = (
    Column("Section", 14),
    Column("Item", 30),
    Column("Value", 70),
    Column("Code", 24),
    Column("Unit", 10),
)
_RESULTS = (
    Column("Section", 14),
    Column("Item", 40),
    Column("Value", 28),
    Column("Code", 22),
    Column("Unit", 14),
    Column("95 % CI low", 10),
    Column("95 % CI high", 10),
    Column("Limit low", 10),
    Column("Limit high", 10),
    Column("Limit version", 10),
    Column("Limit status", 14),
    Column("Flag", 14),
)
_DIFFERENTIAL = (
    Column("Class", 24),
    Column("Code", 22),
    Column("Cells", 8),
    Column("Percent", 9),
    Column("95 % CI low", 9),
    Column("95 % CI high", 9),
    Column("With naming errors, low", 12),
    Column("With naming errors, high", 12),
    Column("Absolute (10⁹/L)", 11),
    Column("Reference of", 14),
    Column("Reference low", 10),
    Column("Reference high", 10),
    Column("Reference version", 10),
    Column("Reference status", 14),
    Column("Flag", 10),
)
_CELLS = (
    Column("Cell", 38),
    Column("Class", 24),
    Column("Code", 22),
    Column("Named by", 12),
    Column("Image", 38),
    Column("Left (px)", 9),
    Column("Top (px)", 9),
    Column("Right (px)", 9),
    Column("Bottom (px)", 9),
    Column("SHA-256 of the image", 68),
    Column("SHA-256 of the pixels", 68),
)
_CHANGES = (Column("Item", 34), Column("Before", 46), Column("Now", 46))


def render_xlsx(content: ReportContent) -> bytes:
    """Return the report as a workbook."""
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as workbook:
        workbook.set_properties(
            {
                "title": content.title,
                "author": content.laboratory.name,
                "comments": f"SHA-256 of the content: {content.content_sha256}",
                "created": _created(content),
            }
        )
        book = Book(workbook)
        said = list(lines(content))
        book.add_sheet("Report", _STATEMENTS, _statements(said))
        rows = (_row(row) for row in content.differential)
        book.add_sheet("Differential", _DIFFERENTIAL, (*rows, _total(content)))
        book.add_sheet("Other results", _RESULTS, _results(said))
        book.add_sheet("Cells", _CELLS, _cells(content))
        changes = content.amendment.changes if content.amendment else ()
        book.add_sheet("Changes", _CHANGES, ((one.item, one.old, one.new) for one in changes))
    return buffer.getvalue()


def _created(content: ReportContent) -> datetime:
    """Return the moment that the file bears: that of the signature, so that it never varies."""
    moment = content.signature.signed_at if content.signature else content.specimen.received_at
    return moment.astimezone(UTC).replace(tzinfo=None)


def _statements(said: Sequence[Line]) -> Iterator[Sequence[Cell]]:
    for line in said:
        if line.section in _REPORT_SECTIONS:
            values = (line.section, line.item, line.value, line.code, line.unit)
            yield [_cell(value) for value in values]


def _results(said: Sequence[Line]) -> Iterator[Sequence[Cell]]:
    for line in said:
        if line.section not in _SHOWN_ELSEWHERE:
            values = (
                line.section, line.item, line.value, line.code, line.unit,
                line.ci95_low, line.ci95_high, line.reference_low, line.reference_high,
                line.reference_version, line.reference_status, line.flag,
            )  # fmt: skip
            yield [_cell(value) for value in values]


def _row(row: DifferentialRow) -> Sequence[Cell]:
    reference = row.reference
    state = ("approved" if reference.is_approved else "unconfirmed") if reference else None
    return (
        row.cell_type.display,
        row.cell_type.code,
        row.count,
        row.percent,
        row.ci_low,
        row.ci_high,
        row.naming_low,
        row.naming_high,
        row.absolute,
        reference.quantity.code if reference else None,
        reference.low if reference else None,
        reference.high if reference else None,
        reference.version if reference else None,
        state,
        row.flag.code if row.flag else None,
    )


def _total(content: ReportContent) -> Sequence[Cell]:
    return ("Leukocytes counted", None, content.reading.leukocytes)


def _cells(content: ReportContent) -> Iterator[Sequence[Cell]]:
    for cell in content.pictures:
        yield (
            cell.cell_id,
            cell.cell_type.display,
            cell.cell_type.code,
            "human" if cell.is_named_by_human else "software",
            cell.image_id,
            cell.x0,
            cell.y0,
            cell.x1,
            cell.y1,
            cell.image_sha256,
            cell.pixels_sha256,
        )


def _cell(value: object) -> Cell:
    """Return a value as a cell takes it; numbers and dates keep their type."""
    if value is None or isinstance(value, str | int | Decimal | date):
        return value
    return str(value)
