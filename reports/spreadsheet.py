"""An Excel workbook of typed cells: numbers as numbers, dates as dates, text never as a formula."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

LONGEST_TEXT: Final = 32_000
"""Characters in a cell; Excel holds 32767 and would cut off the rest without a word."""

A4: Final = 9
_MOMENT = "yyyy-mm-dd hh:mm:ss"
_DAY = "yyyy-mm-dd"
_HEADER = {"bold": True, "bg_color": "#E8EEF2", "bottom": 1, "text_wrap": True, "valign": "top"}

Cell = str | int | Decimal | date | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and width, in characters."""

    heading: str
    width: int = 12


@dataclass(slots=True)
class Book:
    """A workbook in the making; each sheet has a header that stays in view and in print."""

    workbook: Workbook
    _formats: dict[str, Format] = field(default_factory=dict)

    def add_sheet(
        self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]
    ) -> None:
        """Write a sheet row by row; text that no cell holds goes on in the rows below."""
        sheet = self.workbook.add_worksheet(name)
        header = self._format("header", _HEADER)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.heading, header)
        _lay_out(sheet, name)
        line = 0
        for row in rows:
            for part in _in_pieces(row):
                line += 1
                for place, value in enumerate(part):
                    self._write(sheet, line, place, value)
        sheet.autofilter(0, 0, line, len(columns) - 1)

    def _write(self, sheet: Worksheet, row: int, column: int, value: Cell) -> None:
        match value:
            case None | "":
                return
            case bool():
                sheet.write_boolean(row, column, value, self._text())
            case int():
                sheet.write_number(row, column, value, self._number("0"))
            case Decimal():
                sheet.write_number(row, column, value, self._number(_pattern(value)))
            case datetime():
                moment = value.astimezone(UTC).replace(tzinfo=None)
                sheet.write_datetime(row, column, moment, self._number(_MOMENT))
            case date():
                midnight = datetime.combine(value, time.min)
                sheet.write_datetime(row, column, midnight, self._number(_DAY))
            case _:
                sheet.write_string(row, column, value, self._text())

    def _text(self) -> Format:
        return self._format("text", {"text_wrap": True, "valign": "top"})

    def _number(self, pattern: str) -> Format:
        return self._format(pattern, {"num_format": pattern, "valign": "top", "align": "left"})

    def _format(self, name: str, properties: dict[str, Any]) -> Format:
        if name not in self._formats:
            self._formats[name] = self.workbook.add_format(properties)
        return self._formats[name]


def _lay_out(sheet: Worksheet, name: str) -> None:
    """Set what is seen of a sheet, and how it prints: landscape A4, as wide as the page."""
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{name}&RPage &P of &N")


def _in_pieces(row: Sequence[Cell]) -> Iterator[Sequence[Cell]]:
    """Give the row, and further ones for what is left of text too long for a cell."""
    yield [value[:LONGEST_TEXT] if isinstance(value, str) else value for value in row]
    rest = [value[LONGEST_TEXT:] if isinstance(value, str) else None for value in row]
    if any(rest):
        yield from _in_pieces(rest)


def _pattern(value: Decimal) -> str:
    """Return the number format that shows as many decimals as the value was stated with."""
    decimals = max(0, -int(value.as_tuple().exponent))
    return f"0.{'0' * decimals}" if decimals else "0"
