"""The report as CSV: a pure function of its content.

Long form, one statement a row: section, item, code, value, unit, interval, reference, flag, and the
interval that carries naming errors. UTF-8
with a byte order mark, without which spreadsheets misread accents. Text that a spreadsheet would
run as a formula is quoted with an apostrophe (OWASP, "CSV Injection").
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from accounts.formulas import inert
from reports.content import (
    AnalyserResult,
    Coded,
    CriticalResults,
    Delta,
    DifferentialRow,
    FieldCounts,
    Reference,
    ReportContent,
    WhiteCount,
)
from reports.formats import delta_limit, w3c_moment

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
    "ci95_naming_low",
    "ci95_naming_high",
)
CELLS_PER_LITRE = "10*9/L"


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
    ci95_naming_low: object = ""
    ci95_naming_high: object = ""


def render_csv(content: ReportContent) -> bytes:
    """Return the report as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines(content):
        writer.writerow([safe(getattr(line, column)) for column in COLUMNS])
    return (BYTE_ORDER_MARK + buffer.getvalue()).encode()


def safe(value: object) -> str:
    """Return the text of a cell that no spreadsheet will run."""
    if value is None:
        return ""
    return inert(w3c_moment(value) if isinstance(value, datetime) else str(value))


def lines(content: ReportContent) -> Iterator[Line]:
    """Give all that the report says, one statement after the other."""
    yield from _report_lines(content)
    yield from _subject_lines(content)
    for row in content.differential:
        yield from _row_lines(row)
    yield from _other_lines(content)
    yield from _morphology_lines(content)
    if content.critical:
        yield from _critical_lines(content.critical)
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


def _critical_lines(critical: CriticalResults) -> Iterator[Line]:
    """Give each critical result with its limit, then each call as it was recorded."""
    for item in critical.results:
        side = item.side.code
        yield Line(
            "critical",
            item.analyte.display,
            item.value,
            item.analyte.code,
            item.unit,
            reference_low=item.limit if side == "low" else "",
            reference_high=item.limit if side == "high" else "",
            reference_version=item.version,
            reference_status="approved" if item.is_approved else "unconfirmed",
            flag="known" if item.is_known else "critical" if side == "seen" else f"critical_{side}",
        )
    for number, call in enumerate(critical.calls, start=1):
        name = f"call {number}"
        yield Line("critical_call", f"{name} at", call.called_at)
        yield Line("critical_call", f"{name} outcome", call.outcome.display, call.outcome.code)
        yield Line("critical_call", f"{name} told", call.told)
        yield Line("critical_call", f"{name} recipient", call.recipient_name)
        yield Line("critical_call", f"{name} role", call.recipient_role)
        yield Line("critical_call", f"{name} channel", call.channel.display, call.channel.code)
        yield Line("critical_call", f"{name} reason", call.reason)
        yield Line("critical_call", f"{name} by", call.called_by)


def _row_lines(row: DifferentialRow) -> Iterator[Line]:
    """Give a class as count, percent and absolute count; the reference stands with its own kind."""
    name, code = row.cell_type.display, row.cell_type.code
    yield Line("differential", f"{name} count", row.count, code, "{cells}")
    reference = row.reference
    judged = _judged(reference, row.flag)
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
        ci95_naming_low=row.naming_low,
        ci95_naming_high=row.naming_high,
        **by_percent,
    )
    yield Line(
        "differential", f"{name} absolute", row.absolute, code, CELLS_PER_LITRE, **by_absolute
    )


def _judged(reference: Reference | None, flag: Coded | None) -> dict[str, object]:
    """Give the columns of an interval with the flag; without an interval nothing."""
    if reference is None:
        return {}
    return {
        "reference_low": reference.low,
        "reference_high": reference.high,
        "reference_version": reference.version,
        "reference_status": "approved" if reference.is_approved else "unconfirmed",
        "flag": flag.code if flag else "",
    }


def _white_count_lines(white: WhiteCount) -> Iterator[Line]:
    """Give the analyser's count and, if it was corrected, what was judged in its place."""
    judged: dict[str, object] = {"flag": white.flag.code if white.flag else ""}
    judged |= _judged(white.reference, white.flag)
    name, code = "Leukocytes (WBC)", "wbc"
    if white.corrected is None:
        yield Line("analyser", name, white.value, code, CELLS_PER_LITRE, **judged)
    else:
        yield Line("analyser", name, white.value, code, CELLS_PER_LITRE)
        yield Line("analyser", "WBC corrected", white.corrected, code, CELLS_PER_LITRE, **judged)
    yield Line("analyser", "measured_at", white.measured_at)
    yield Line("analyser", "source", white.source)


def _analyser_lines(item: AnalyserResult) -> Iterator[Line]:
    """Give what an analyser measured beside the white count, with its time and source."""
    name, code = item.analyte.display, item.analyte.code
    judged: dict[str, object] = {"flag": item.flag.code if item.flag else ""}
    judged |= _judged(item.reference, item.flag)
    yield Line("analyser", name, item.value, code, item.unit, **judged)
    yield Line("analyser", f"{name} measured_at", item.measured_at, code)
    yield Line("analyser", f"{name} source", item.source, code)
    if item.marks:
        yield Line("analyser", f"{name} analyser_flags", item.marks, code)


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
    if content.white_count:
        yield from _white_count_lines(content.white_count)
    for item in content.analyser_results:
        yield from _analyser_lines(item)
    for delta in content.deltas:
        yield from _delta_lines(delta)
    if content.fields:
        yield from _field_lines(content.fields)
    yield Line("interpretation", "comment", content.interpretation)
    for person in content.consultations:
        yield Line("consultation", "consulted", person.name)
        yield Line("consultation", "answered_at", person.answered_at)
        for said in person.opinions:
            yield Line("consultation", "non_final_opinion", said.text)
            yield Line("consultation", "non_final_diagnosis", said.diagnosis)


def _morphology_lines(content: ReportContent) -> Iterator[Line]:
    """Give each line as a sentence with its LOINC code, then its features as grade and count."""
    for line in content.morphology:
        yield Line("morphology", line.line.display, line.statement, line.loinc)
        for item in line.features:
            name, code = item.feature.display, item.feature.code
            yield Line(
                "morphology",
                f"{name} grade",
                f"overruled to {item.grade}" if item.is_overruled else item.grade,
                code,
                reference_version=item.version,
                reference_status="approved" if item.is_approved else "unconfirmed",
            )
            if item.count is not None:
                yield Line("morphology", f"{name} count", item.count, code, item.unit)
            if item.comment:
                yield Line("morphology", f"{name} comment", item.comment, code)


def _delta_lines(delta: Delta) -> Iterator[Line]:
    name, code = delta.analyte.display, delta.analyte.code
    unit = "%" if delta.unit == "%" else CELLS_PER_LITRE
    yield Line("delta", f"{name} now", delta.value, code, unit, delta.low, delta.high)
    yield Line(
        "delta",
        f"{name} before",
        delta.previous,
        code,
        unit,
        delta.previous_low,
        delta.previous_high,
    )
    yield Line("delta", f"{name} before, collected_at", delta.previous_collected_at, code)
    yield Line("delta", f"{name} before, accession_number", delta.previous_accession, code)
    yield Line("delta", f"{name} change", delta.change_percent, code, "%")
    yield Line("delta", f"{name} limit", delta_limit(delta), code)


def _field_lines(seen: FieldCounts) -> Iterator[Line]:
    yield Line("fields", "fields", seen.fields, unit="{fields}")
    yield Line("fields", "erythrocytes_per_field", seen.erythrocytes_per_field, "erythrocyte")
    yield Line("fields", "platelets_per_field", seen.platelets_per_field, "platelet")
    judged: dict[str, object] = {"flag": seen.platelets_flag.code if seen.platelets_flag else ""}
    judged |= _judged(seen.platelets_reference, seen.platelets_flag)
    yield Line(
        "fields", "platelets_estimated", seen.platelets, "platelet", CELLS_PER_LITRE, **judged
    )
    yield Line("fields", "platelets_factor", seen.factor)
    yield Line("fields", "platelets_withheld", seen.withheld)
    yield Line("fields", "cut_by_edge", seen.cut_by_edge, unit="{cells}")
    yield Line("fields", "seen_twice", seen.seen_twice, unit="{cells}")
    for software in seen.detectors:
        yield Line("fields", "detector", f"{software.name} {software.version}", software.sha256)


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
