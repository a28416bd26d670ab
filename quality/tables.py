"""A table as a page shows it and as a spreadsheet or a program takes it."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from xlsxwriter import Workbook

from reports.spreadsheet import Book, Cell, Column
from reports.tabular import BYTE_ORDER_MARK, safe


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; `name` tells what it is, in a file's name and a sheet's."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def as_csv(self) -> bytes:
        """Write it as UTF-8 for spreadsheets; no cell can be run as a formula."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(column.heading for column in self.columns)
        writer.writerows([_plain(value) for value in row] for row in self.rows)
        return (BYTE_ORDER_MARK + stream.getvalue()).encode()


def as_workbook(tables: Sequence[Table]) -> bytes:
    """Write tables as an Excel workbook, a sheet each; the same tables, the same bytes."""
    stream = io.BytesIO()
    with Workbook(stream, {"in_memory": True}) as workbook:
        workbook.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - no zone in xlsx
        book = Book(workbook)
        for table in tables:
            book.add_sheet(table.title[:31], table.columns, table.rows)
    return stream.getvalue()


def _plain(value: Cell) -> str:
    return str(value) if isinstance(value, int | Decimal) else safe(value)
