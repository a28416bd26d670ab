"""Many reports as one table, one report a row: each row a pure function of a signed content.

Columns and values are the same in CSV and XLSX; JSON lines hold each content whole.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reports.content import DifferentialRow, ReportContent
from reports.schema import render_json
from reports.spreadsheet import Cell, Column
from reports.tabular import BYTE_ORDER_MARK, safe

CLASSES: Final = (
    "neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil", "immature_granulocyte",
    "blast", "atypical_lymphocyte", "plasma_cell",
)  # fmt: skip
"""The leukocyte classes with columns of their own; `other_classes` names any further ones."""

WITHHELD: Final = "withheld: what is stored is not what was signed"


@dataclass(frozen=True, slots=True)
class Listed:
    """A report in a list: what it says, or None where that isn't what was signed."""

    accession_number: str
    version: int
    content: ReportContent | None


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name and what it takes from a report."""

    name: str
    value: Callable[[ReportContent], Cell]
    width: int = 14


def _of_class(code: str) -> Iterator[Field]:
    def take(part: Callable[[DifferentialRow], Cell]) -> Callable[[ReportContent], Cell]:
        return lambda said: next(
            (part(row) for row in said.differential if row.cell_type.code == code), None
        )

    yield Field(f"{code}_count", take(lambda row: row.count), 10)
    yield Field(f"{code}_percent", take(lambda row: row.percent), 10)
    yield Field(f"{code}_ci95_low", take(lambda row: row.ci_low), 10)
    yield Field(f"{code}_ci95_high", take(lambda row: row.ci_high), 10)
    yield Field(f"{code}_absolute", take(lambda row: row.absolute), 10)
    yield Field(f"{code}_flag", take(lambda row: row.flag.code if row.flag else None), 10)


def _further_classes(said: ReportContent) -> str:
    found = [row for row in said.differential if row.cell_type.code not in CLASSES]
    return "; ".join(f"{row.cell_type.code}={row.count}" for row in found)


def _other_cells(said: ReportContent) -> str:
    return "; ".join(f"{cell.cell_type.code}={cell.count}" for cell in said.other_cells)


def _white_flag(said: ReportContent) -> Cell:
    flag = said.white_count.flag if said.white_count else None
    return flag.code if flag else None


def _platelets_flag(said: ReportContent) -> Cell:
    """The flag of the platelets that are judged: the analyser's, else our estimate."""
    counted = said.counted_platelets
    estimated = said.fields.platelets_flag if said.fields else None
    flag = counted.flag if counted else estimated
    return flag.code if flag else None


def _measured(code: str) -> Callable[[ReportContent], Cell]:
    return lambda said: next(
        (item.value for item in said.analyser_results if item.analyte.code == code), None
    )


def _critical(said: ReportContent) -> str:
    results = said.critical.results if said.critical else ()
    return "; ".join(item.analyte.code for item in results)


FIELDS: Final[tuple[Field, ...]] = (
    Field("accession_number", lambda said: said.request.accession_number, 16),
    Field("version", lambda said: said.version, 8),
    Field("status", lambda said: said.status.code, 10),
    Field("is_demonstration", lambda said: str(said.laboratory.is_demo).lower(), 8),
    Field("laboratory", lambda said: said.laboratory.name, 30),
    Field("signed_at", lambda said: said.signature.signed_at if said.signature else None, 20),
    Field("signed_by", lambda said: said.signature.printed_name if said.signature else None, 24),
    Field("family_name", lambda said: said.patient.family_name, 18),
    Field("given_name", lambda said: said.patient.given_name, 18),
    Field("mrn", lambda said: said.patient.mrn, 14),
    Field("mrn_issuer", lambda said: said.patient.mrn_issuer, 12),
    Field("birth_date", lambda said: said.patient.birth_date, 12),
    Field("sex", lambda said: said.patient.sex.code, 8),
    Field("age_at_collection", lambda said: said.patient.age_years, 8),
    Field("priority", lambda said: said.request.priority.code, 10),
    Field("ordering_clinician", lambda said: said.request.ordering_clinician, 24),
    Field("specimen_type", lambda said: said.specimen.specimen_type.code, 16),
    Field("stain", lambda said: said.specimen.stain.code, 20),
    Field("condition", lambda said: said.specimen.condition.code, 14),
    Field("collected_at", lambda said: said.specimen.collected_at, 20),
    Field("received_at", lambda said: said.specimen.received_at, 20),
    Field("leukocytes_counted", lambda said: said.reading.leukocytes, 10),
    *(field for code in CLASSES for field in _of_class(code)),
    Field("other_classes", _further_classes, 20),
    Field("other_cells", _other_cells, 24),
    Field("nucleated_red_cells", lambda said: said.nucleated_red_cells.count, 10),
    Field(
        "nucleated_red_cells_per_100", lambda said: said.nucleated_red_cells.per_100_leukocytes, 10
    ),
    Field("wbc", lambda said: said.white_count.value if said.white_count else None, 10),
    Field(
        "wbc_corrected", lambda said: said.white_count.corrected if said.white_count else None, 10
    ),
    Field("wbc_flag", _white_flag, 10),
    Field("wbc_source", lambda said: said.white_count.source if said.white_count else None, 20),
    Field("platelets_measured", _measured("platelets"), 10),
    Field("nucleated_red_cells_per_100_measured", _measured("nrbc_per_100"), 10),
    Field("nucleated_red_cells_measured", _measured("nrbc"), 10),
    Field("platelets_estimated", lambda said: said.fields.platelets if said.fields else None, 10),
    Field("platelets_flag", _platelets_flag, 10),
    Field("critical", _critical, 18),
    Field("interpretation", lambda said: said.interpretation, 60),
    Field(
        "supersedes_version",
        lambda said: said.amendment.supersedes_version if said.amendment else None,
        10,
    ),
    Field(
        "reason_for_correction", lambda said: said.amendment.reason if said.amendment else None, 30
    ),
    Field("content_sha256", lambda said: said.content_sha256, 66),
)
NAMES: Final = tuple(field.name for field in FIELDS)
COLUMNS: Final = tuple(Column(field.name, field.width) for field in FIELDS)


def row_of(listed: Listed) -> Sequence[Cell]:
    """Return the row of a report; one that is withheld says so and nothing else."""
    if listed.content is None:
        return (listed.accession_number, listed.version, WITHHELD)
    said = listed.content
    return [field.value(said) for field in FIELDS]


def csv_lines(reports: Iterable[Listed]) -> Iterator[bytes]:
    """Give the table as CSV, line by line."""
    yield (BYTE_ORDER_MARK + _csv_line(NAMES)).encode()
    for listed in reports:
        yield _csv_line([safe(value) for value in row_of(listed)]).encode()


def json_lines(reports: Iterable[Listed]) -> Iterator[bytes]:
    """Give each report as the canonical JSON that was signed, one a line."""
    for listed in reports:
        if listed.content is None:
            yield render_withheld(listed)
        else:
            yield render_json(listed.content) + b"\n"


def render_withheld(listed: Listed) -> bytes:
    """Return the line of a report that isn't handed out."""
    return (
        f'{{"accession_number":"{listed.accession_number}","version":{listed.version},'
        f'"withheld":"{WITHHELD}"}}\n'
    ).encode()


def _csv_line(values: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(values)
    return buffer.getvalue()
