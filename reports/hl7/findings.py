"""What a report says as a list of observations, before they are written as OBX segments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reports import codes, formats
from reports.content import (
    AnalyserResult,
    Coded,
    DifferentialRow,
    FieldCounts,
    MorphologyLine,
    Reference,
    ReportContent,
    Software,
    WhiteCount,
)
from reports.hl7.encoding import Components, Field

Note = str
LOCAL = "L"
UNIT_NAMES = {"%": "percent", codes.PER_LITRE: "10*9 per liter"}


@dataclass(frozen=True, slots=True)
class Observation:
    """One result: what it is, its value and unit, and what judges it.

    ``flag`` is None where nothing judges the value, "" where it was judged normal.
    """

    code: Components
    kind: str
    value: Field
    unit: str = ""
    reference: str = ""
    flag: str | None = None
    sub_id: str = ""
    notes: tuple[Note, ...] = ()
    analysed_at: datetime | None = None
    is_of_analyser: bool = False
    software: tuple[Software, ...] = ()


def loinc(code: codes.Code) -> Components:
    """Return a LOINC code as a coded element."""
    return (code.code, code.display, "LN")


def local(code: str, display: str) -> Components:
    """Return a code of ours as a coded element."""
    return (code, display, LOCAL)


def list_findings(content: ReportContent) -> Iterator[Observation]:
    """Return all that the report found, in the order in which it prints it."""
    for row in content.differential:
        yield from _class(row, content)
    yield _counted(content)
    yield from _beside(content)
    if content.white_count:
        yield from _white_count(content.white_count, content)
    for item in content.analyser_results:
        yield _measured(item)
    if content.fields:
        yield from _fields(content.fields)
    for line in content.morphology:
        yield from _morphology(line)
    yield from _words(content)
    yield from _additions(content)


def _class(row: DifferentialRow, content: ReportContent) -> Iterator[Observation]:
    """Give a class as percent and, where the white count is known, absolute."""
    notes = _deltas(content, row.cell_type.code)
    by_percent = bool(row.reference and row.reference.quantity.code == "percent")
    judges_percent = by_percent or row.absolute is None
    judged, flag = _range(row.reference), _flag(row.flag, row.reference)
    if row.percent is not None:
        yield Observation(
            code=loinc(codes.percent_code(row.cell_type.code, content.reading)),
            kind="NM",
            value=_number(row.percent),
            unit=codes.PERCENT,
            reference=judged if by_percent else "",
            flag=flag if judges_percent else None,
            notes=(_counting(row, content), *notes),
            software=content.reading.software,
        )
    if row.absolute is not None:
        yield Observation(
            code=loinc(codes.absolute_code(row.cell_type.code, content.reading)),
            kind="NM",
            value=_number(row.absolute),
            unit=codes.PER_LITRE,
            reference="" if by_percent else judged,
            flag=None if by_percent else flag,
            notes=() if by_percent else _reference_note(row.reference),
            software=content.reading.software,
        )


def _counting(row: DifferentialRow, content: ReportContent) -> Note:
    """Say how many cells a percentage rests on and how sure it is."""
    text = f"{row.count} of {content.reading.leukocytes} leukocytes counted"
    if row.ci_low is not None:
        text += f"; 95 % interval {formats.intervals_of(row)} % (Clopper-Pearson)"
    return text


def _range(reference: Reference | None) -> str:
    """Return limits as OBX-7 writes them: low-high."""
    return formats.limits(reference).replace(formats.EN_DASH, "-") if reference else ""


def _flag(flag: Coded | None, reference: Reference | None) -> str | None:
    """Return the flag of a judged value; None where there was nothing to judge it by."""
    if flag is None:
        return None if reference is None else ""
    return flag.code


def _reference_note(reference: Reference | None) -> tuple[Note, ...]:
    """Say it where the laboratory has not approved the interval that judges."""
    if reference is None or reference.is_approved:
        return ()
    return (f"Reference interval version {reference.version} is not approved by this laboratory.",)


def _deltas(content: ReportContent, analyte: str) -> tuple[Note, ...]:
    return tuple(
        f"Change: {formats.delta_text(delta)}; {formats.delta_limit(delta)}"
        for delta in content.deltas
        if delta.analyte.code == analyte
    )


def _counted(content: ReportContent) -> Observation:
    return Observation(
        code=local("leukocytes_counted", "Leukocytes counted"),
        kind="NM",
        value=str(content.reading.leukocytes),
        unit=codes.CELLS,
    )


def _beside(content: ReportContent) -> Iterator[Observation]:
    """Give nucleated red cells per 100 leukocytes, then what else was seen."""
    red = content.nucleated_red_cells
    if red.per_100_leukocytes is not None:
        yield Observation(
            code=loinc(codes.nucleated_red_cells_code(content.reading)),
            kind="NM",
            value=_number(red.per_100_leukocytes),
            unit=codes.PER_100_LEUKOCYTES,
            notes=(f"{red.count} nucleated red cells seen",),
            software=content.reading.software,
        )
    for other in content.other_cells:
        name = f"{other.cell_type.display} seen on the smear"
        yield Observation(
            code=local(other.cell_type.code, name),
            kind="NM",
            value=str(other.count),
            unit=codes.CELLS,
        )


def _white_count(white: WhiteCount, content: ReportContent) -> Iterator[Observation]:
    """Give the analyser's count as it was, and the corrected one that is judged instead."""
    judged, flag = _range(white.reference), _flag(white.flag, white.reference)
    is_corrected = white.corrected is not None
    notes = (*_reference_note(white.reference), *_deltas(content, "wbc"))
    yield Observation(
        code=loinc(codes.ANALYSER_WHITE_COUNT),
        kind="NM",
        value=_number(white.value),
        unit=codes.PER_LITRE,
        reference="" if is_corrected else judged,
        flag=None if is_corrected else flag,
        notes=(white.source, *(() if is_corrected else notes)),
        analysed_at=white.measured_at,
        is_of_analyser=True,
    )
    if white.corrected is not None:
        yield Observation(
            code=loinc(codes.WHITE_COUNT),
            kind="NM",
            value=_number(white.corrected),
            unit=codes.PER_LITRE,
            reference=judged,
            flag=flag,
            notes=("Corrected for nucleated red cells.", *notes),
        )


def _measured(item: AnalyserResult) -> Observation:
    """Give what the analyser measured beside the white count."""
    marks = (f"Flags of the analyser: {item.marks}",) if item.marks else ()
    return Observation(
        code=loinc(codes.ANALYSER_RESULTS[item.analyte.code]),
        kind="NM",
        value=_number(item.value),
        unit=item.unit,
        reference=_range(item.reference),
        flag=_flag(item.flag, item.reference),
        notes=(item.source, *marks, *_reference_note(item.reference)),
        analysed_at=item.measured_at,
        is_of_analyser=True,
    )


def _fields(seen: FieldCounts) -> Iterator[Observation]:
    """Give the estimate of platelets, or why there is none."""
    if seen.platelets is None:
        text = f"Platelets were not estimated: {seen.withheld}" if seen.withheld else ""
        if text:
            yield Observation(local("platelets_withheld", "Platelet estimate"), "FT", text)
        return
    mean = f"{seen.platelets_per_field} platelets in {seen.fields} fields"
    basis = f"Estimate: mean of {mean}, factor {seen.factor}"
    yield Observation(
        code=loinc(codes.PLATELET_ESTIMATE),
        kind="NM",
        value=_number(seen.platelets),
        unit=codes.PER_LITRE,
        reference=_range(seen.platelets_reference),
        flag=_flag(seen.platelets_flag, seen.platelets_reference),
        notes=(basis, *_reference_note(seen.platelets_reference)),
        software=seen.detectors,
    )


def _morphology(line: MorphologyLine) -> Iterator[Observation]:
    """Give the line in a sentence, then each graded feature."""
    code = codes.MORPHOLOGY_PANELS.get(line.loinc)
    named = loinc(code) if code else (line.loinc, line.line.display, "LN")
    yield Observation(code=named, kind="FT", value=line.statement)
    for item in line.features:
        yield Observation(
            code=local(item.feature.code, item.feature.display),
            kind="ST",
            value=item.grade_name,
            notes=(formats.grade_of(item),),
        )


def _words(content: ReportContent) -> Iterator[Observation]:
    """Give interpretation, method with its limits, critical results, consultations."""
    if content.interpretation:
        yield Observation(loinc(codes.INTERPRETATION), "FT", content.interpretation)
    statement = "\n".join((content.method, *content.limits))
    yield Observation(loinc(codes.DIFFERENTIAL_COMMENT), "FT", statement)
    if content.critical:
        results = "\n".join(map(formats.critical_result, content.critical.results))
        calls = tuple(map(formats.critical_call, content.critical.calls))
        code = local("critical_results", "Critical results and who was told")
        yield Observation(code, "FT", results or "None now", notes=calls)
    for number, person in enumerate(content.consultations, start=1):
        said = [f"{each.diagnosis}\n{each.text}".strip() for each in person.opinions]
        text = "\n".join((f"Consulted: {person.name}; not a final opinion", *said))
        code = local("consultation", "Opinion that was asked for")
        yield Observation(code, "FT", text, sub_id=str(number))


def _additions(content: ReportContent) -> Iterator[Observation]:
    """Give what an appended version adds as results of their own: 2.5.1 has no status for it."""
    if content.amendment is None or not content.amendment.is_addition:
        return
    for number, added in enumerate(content.amendment.changes, start=1):
        code = local("addition", "Added after signing")
        text = f"{added.item}: {added.new}"
        yield Observation(code, "FT", text, sub_id=str(number))


def _number(value: Decimal) -> str:
    """Return a number as data type NM writes it."""
    return format(value, "f")
