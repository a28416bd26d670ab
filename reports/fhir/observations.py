"""The figures of the differential and of the analyser: one Observation for each."""

from collections.abc import Iterator
from typing import Any

from reports import codes
from reports.codes import Code
from reports.content import Coded, DifferentialRow, Reference, ReportContent, WhiteCount
from reports.fhir.devices import device_reference
from reports.fhir.source import SignedReport, result_id
from reports.fhir.values import (
    TERMINOLOGY,
    Resource,
    coding,
    concept,
    date_time,
    instant,
    loinc,
    notes,
    quantity,
    reference,
    without_gaps,
)
from reports.formats import delta_text

VERIFIED = "AI-assisted, human-verified digital microscopy"
MANUAL = "Digital microscopy, classified by a human"
NO_WHITE_COUNT = "No leukocyte count of an analyser is known."
NO_CELLS = "No leukocytes were counted."


def start_result(signed: SignedReport, name: str, code: dict[str, Any]) -> Resource:
    """Return a result that has all but its value."""
    content = signed.content
    ident = result_id(signed.case_id, name)
    return without_gaps(
        signed.start("Observation", ident)
        | {
            "identifier": [{"system": signed.system("result"), "value": ident}],
            "basedOn": [signed.order],
            "status": signed.result_status,
            "category": [concept(coding(f"{TERMINOLOGY}/observation-category", "laboratory"))],
            "code": code,
            "subject": signed.subject,
            "effectiveDateTime": date_time(content.specimen.collected_at),
            "issued": instant(signed.issued_at),
            "performer": [item for item in (signed.signer, signed.laboratory) if item],
            "specimen": signed.specimen,
        }
    )


def read_by(content: ReportContent) -> dict[str, Any]:
    """Return how cells were read, and the release that helped if it was but one."""
    if codes.is_manual(content.reading):
        return {"method": concept(text=MANUAL)}
    software = content.reading.software
    device = {"device": device_reference(software[0])} if len(software) == 1 else {}
    return {"method": concept(text=VERIFIED)} | device


def absent(code: str, text: str) -> dict[str, Any]:
    """Return why there is no value."""
    return {
        "dataAbsentReason": concept(coding(f"{TERMINOLOGY}/data-absent-reason", code), text=text)
    }


def interpretation(*found: Code) -> dict[str, Any]:
    """Return how values are judged."""
    system = f"{TERMINOLOGY}/v3-ObservationInterpretation"
    return {"interpretation": [concept(coding(system, item.code, item.display)) for item in found]}


def part(signed: SignedReport, code: str, text: str, value: dict[str, Any]) -> dict[str, Any]:
    """Return a component with a code of the laboratory's own."""
    return {"code": concept(coding(signed.system("codes"), code, text), text=text)} | value


def make_row(signed: SignedReport, row: DifferentialRow) -> Iterator[Resource]:
    """Give a class' share of the leukocytes and its cells per volume."""
    yield _percent(signed, row)
    yield _absolute(signed, row)


def _percent(signed: SignedReport, row: DifferentialRow) -> Resource:
    code = codes.percent_code(row.cell_type.code, signed.content.reading)
    value = (
        absent("not-performed", NO_CELLS)
        if row.percent is None
        else {"valueQuantity": quantity(row.percent, codes.PERCENT)}
    )
    return (
        start_result(signed, f"{row.cell_type.code}-pct", loinc(code, row.cell_type.display))
        | value
        | _row_judged(row, "percent")
        | _changes(signed.content, row.cell_type.code)
        | read_by(signed.content)
        | {"component": list(_parts(signed, row))}
    )


def _absolute(signed: SignedReport, row: DifferentialRow) -> Resource:
    """Return the absolute count; without one it says so, lest a receiver keep an older one."""
    code = codes.absolute_code(row.cell_type.code, signed.content.reading)
    text = f"{row.cell_type.display}, absolute"
    value = (
        absent("not-performed", NO_WHITE_COUNT if row.percent is not None else NO_CELLS)
        if row.absolute is None
        else {"valueQuantity": quantity(row.absolute, codes.PER_LITRE)}
    )
    share = reference("Observation", result_id(signed.case_id, f"{row.cell_type.code}-pct"))
    return (
        start_result(signed, f"{row.cell_type.code}-abs", loinc(code, text))
        | value
        | _row_judged(row, "absolute")
        | read_by(signed.content)
        | {"derivedFrom": [share]}
    )


def judged(found: Reference | None, flag: Coded | None) -> dict[str, Any]:
    """Return reference range and flag of the value that they judge; normal if none is raised."""
    if found is None:
        return interpretation(codes.FLAGS[flag.code]) if flag else {}
    state = "approved by the laboratory" if found.is_approved else "not yet approved"
    limits = {
        "low": quantity(found.low, found.unit),
        "high": quantity(found.high, found.unit),
        "text": f"Version {found.version}, {state}. {found.source}",
    }
    flagged = interpretation(codes.FLAGS[flag.code if flag else ""])
    return flagged | {"referenceRange": [limits]}


def _row_judged(row: DifferentialRow, quantity_code: str) -> dict[str, Any]:
    """Return range and flag beside the quantity that they judge; a flag without range by percent.

    What isn't known isn't normal: without a value there is neither.
    """
    value = row.percent if quantity_code == "percent" else row.absolute
    judges = row.reference.quantity.code if row.reference else "percent"
    return judged(row.reference, row.flag) if judges == quantity_code and value is not None else {}


def _changes(content: ReportContent, analyte: str) -> dict[str, Any]:
    found = notes(delta_text(item) for item in content.deltas if item.analyte.code == analyte)
    return {"note": found} if found else {}


def _parts(signed: SignedReport, row: DifferentialRow) -> Iterator[dict[str, Any]]:
    """Give the count, how many were counted, and the intervals."""
    counted = signed.content.reading.leukocytes
    yield part(signed, "cells-of-class", "Cells of this class", {"valueInteger": row.count})
    yield part(signed, "leukocytes-counted", "Leukocytes counted", {"valueInteger": counted})
    intervals = (
        ("ci95", "95 % interval of counting (Clopper-Pearson)", row.ci_low, row.ci_high),
        ("ci95-naming", "95 % interval with naming errors", row.naming_low, row.naming_high),
    )
    for code, text, low, high in intervals:
        if low is not None and high is not None:
            ends = {
                "low": quantity(low, codes.PERCENT),
                "high": quantity(high, codes.PERCENT),
            }
            yield part(signed, code, text, {"valueRange": ends})


def white_count(signed: SignedReport, found: WhiteCount) -> Iterator[Resource]:
    """Give the analyser's count, and the one corrected for nucleated red cells beside it."""
    given = start_result(signed, "wbc", loinc(codes.ANALYSER_WHITE_COUNT, "Leukocytes"))
    if found.measured_at:
        given["effectiveDateTime"] = date_time(found.measured_at)
    flag = judged(found.reference, found.flag)
    yield (
        given
        | {"valueQuantity": quantity(found.value, codes.PER_LITRE)}
        | ({} if found.corrected is not None else flag)
        | _changes(signed.content, "wbc")
        | {"method": concept(text=found.source)}
    )
    if found.corrected is None:
        return
    text = "Leukocytes without nucleated red cells"
    yield (
        start_result(signed, "wbc-corrected", loinc(codes.WHITE_COUNT, text))
        | {"valueQuantity": quantity(found.corrected, codes.PER_LITRE)}
        | flag
        | {"derivedFrom": [reference("Observation", given["id"])]}
    )
