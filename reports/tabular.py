"""The report as CSV: a pure function of its content.

Long form, one statement a row: section, item, code, value, unit, interval, reference, flag. UTF-8
with a byte order mark, without which spreadsheets misread accents. Text that a spreadsheet would
run as a formula is quoted with an apostrophe (OWASP, "CSV Injection").
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from reports.content import DifferentialRow, ReportContent
from reports.formats import w3c_moment

BYTE_ORDER_MARK = "\ufeff"
COLUMNS = (
    "section",
    "item",
    "code",
    "value",
    "unit",
    "ci95_low",
    "ci95_high",
    "reference_low",
    "reference_high",
    "reference_version",
    "reference_status",
    "flag",
)
CELLS_PER_LITRE = "10*9/L"
# A cell that begins so may be run as a formula, or hide one behind what a spreadsheet strips.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Line:
    """One statement of the report; empty where a column has nothing to say."""

    section: str
    item: str
    value: object
    code: object = ""
    unit: object = ""
    ci95_low: object = ""
    ci95_high: object = ""
    reference_low: object = ""
    reference_high: object = ""
    reference_version: object = ""
    reference_status: object = ""
    flag: object = ""


def render_csv(content: ReportContent) -> bytes:
    """Return the report as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in _lines(content):
        writer.writerow([safe(getattr(line, column)) for column in COLUMNS])
    return (BYTE_ORDER_MARK + buffer.getvalue()).encode()


def safe(value: object) -> str:
    """Return the text of a cell that no spreadsheet will run."""
    if value is None:
        return ""
    text = w3c_moment(value) if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _lines(content: ReportContent) -> Iterator[Line]:
    yield from _report_lines(content)
    yield from _subject_lines(content)
    for row in content.differential:
        yield from _row_lines(row)
    yield from _other_lines(content)
    yield from _reading_lines(content)
    if content.amendment:
        for change in content.amendment.changes:
            yield Line("change", change.item, f"{change.old} → {change.new}")
    for number, limit in enumerate(content.limits, start=1):
        yield Line("limits", f"limit {number}", limit)


def _report_lines(content: ReportContent) -> Iterator[Line]:
    yield Line("report", "accession_number", content.request.accession_number)
    yield Line("report", "version", content.version)
    yield Line("report", "status", content.status.display, content.status.code)
    yield Line("report", "content_sha256", content.content_sha256)
    yield Line("report", "laboratory", content.laboratory.name)
    yield Line("report", "is_demonstration", str(content.laboratory.is_demo).lower())
    if amendment := content.amendment:
        yield Line("report", "supersedes_version", amendment.supersedes_version)
        yield Line("report", "reason_for_correction", amendment.reason)
    if signature := content.signature:
        yield Line("report", "report_id", signature.report_id)
        yield Line("report", "signed_by", signature.printed_name)
        yield Line("report", "meaning", signature.meaning.display, signature.meaning.code)
        yield Line("report", "signed_at", signature.signed_at)


def _subject_lines(content: ReportContent) -> Iterator[Line]:
    patient, request, specimen = content.patient, content.request, content.specimen
    yield Line("patient", "family_name", patient.family_name)
    yield Line("patient", "given_name", patient.given_name)
    yield Line("patient", "mrn", patient.mrn)
    yield Line("patient", "mrn_issuer", patient.mrn_issuer)
    yield Line("patient", "birth_date", patient.birth_date)
    yield Line("patient", "sex", patient.sex.display, patient.sex.code)
    yield Line("patient", "age_at_collection", patient.age_years, unit="a")
    yield Line("request", "priority", request.priority.display, request.priority.code)
    yield Line("request", "ordering_clinician", request.ordering_clinician)
    yield Line("request", "clinical_details", request.clinical_details)
    yield Line("request", "submitted_at", request.submitted_at)
    kind, stain, state = specimen.specimen_type, specimen.stain, specimen.condition
    yield Line("specimen", "type", kind.display, kind.code)
    yield Line("specimen", "stain", stain.display, stain.code)
    yield Line("specimen", "condition", state.display, state.code)
    yield Line("specimen", "condition_note", specimen.condition_note)
    yield Line("specimen", "collected_at", specimen.collected_at)
    yield Line("specimen", "received_at", specimen.received_at)


def _row_lines(row: DifferentialRow) -> Iterator[Line]:
    """Give a class as count, percent and absolute count; the reference stands with its own kind."""
    name, code = row.cell_type.display, row.cell_type.code
    yield Line("differential", f"{name} count", row.count, code, "{cells}")
    reference = row.reference
    judged: dict[str, object] = {}
    if reference:
        judged = {
            "reference_low": reference.low,
            "reference_high": reference.high,
            "reference_version": reference.version,
            "reference_status": "approved" if reference.is_approved else "unconfirmed",
            "flag": row.flag.code if row.flag else "",
        }
    by_percent = judged if reference and reference.quantity.code == "percent" else {}
    by_absolute = judged if not by_percent else {}
    yield Line(
        "differential",
        f"{name} percent",
        row.percent,
        code,
        "%",
        row.ci_low,
        row.ci_high,
        **by_percent,
    )
    yield Line(
        "differential", f"{name} absolute", row.absolute, code, CELLS_PER_LITRE, **by_absolute
    )


def _other_lines(content: ReportContent) -> Iterator[Line]:
    yield Line("differential", "Leukocytes counted", content.reading.leukocytes, unit="{cells}")
    red = content.nucleated_red_cells
    yield Line("other", "Nucleated red cells", red.count, "erythroblast", "{cells}")
    yield Line(
        "other",
        "Nucleated red cells per 100 leukocytes",
        red.per_100_leukocytes,
        "erythroblast",
        "/100{WBCs}",
    )
    for other in content.other_cells:
        yield Line("other", other.cell_type.display, other.count, other.cell_type.code, "{cells}")
    if white := content.white_count:
        yield Line("analyser", "Leukocytes (WBC)", white.value, "wbc", CELLS_PER_LITRE)
        yield Line("analyser", "measured_at", white.measured_at)
        yield Line("analyser", "source", white.source)
    yield Line("interpretation", "comment", content.interpretation)


def _reading_lines(content: ReportContent) -> Iterator[Line]:
    reading = content.reading
    for software in reading.software:
        name = f"{software.name} {software.version}"
        yield Line("method", "software", name, software.sha256)
    yield Line("method", "images", reading.images, unit="{images}")
    yield Line("method", "cells", reading.cells, unit="{cells}")
    yield Line("method", "referred_to_human", reading.referred, unit="{cells}")
    yield Line("method", "named_by_human", reading.named_by_human, unit="{cells}")
    yield Line("method", "changed_by_human", reading.changed_by_human, unit="{cells}")
    yield Line("method", "statement", content.method)
