"""The results beside the differential: WBC, red cells, other cells, fields, morphology."""

from collections.abc import Iterator
from typing import Any

from reports import codes
from reports.content import AnalyserResult, FieldCounts, GradedFeature, MorphologyLine, OtherCells
from reports.fhir.observations import (
    NO_CELLS,
    absent,
    judged,
    part,
    read_by,
    start_result,
    white_count,
)
from reports.fhir.source import SignedReport
from reports.fhir.values import Resource, coding, concept, date_time, loinc, notes, quantity
from reports.formats import grade_of


def list_findings(signed: SignedReport) -> list[Resource]:
    """Return the results that stand beside the differential."""
    content = signed.content
    return [
        *(white_count(signed, content.white_count) if content.white_count else ()),
        *(_measured(signed, item) for item in content.analyser_results),
        _red_cells(signed),
        *(_seen(signed, item) for item in content.other_cells),
        *([_platelets(signed, content.fields)] if content.fields else []),
        *(_morphology(signed, line) for line in content.morphology),
    ]


def _measured(signed: SignedReport, item: AnalyserResult) -> Resource:
    """Return what the analyser measured beside the white count."""
    code = loinc(codes.ANALYSER_RESULTS[item.analyte.code], f"{item.analyte.display}, by analyser")
    marks = notes([f"Flags of the analyser: {item.marks}"]) if item.marks else []
    return (
        start_result(signed, f"analyser-{item.analyte.code}", code)
        | {"effectiveDateTime": date_time(item.measured_at)}
        | {"valueQuantity": quantity(item.value, item.unit)}
        | judged(item.reference, item.flag)
        | {"method": concept(text=item.source)}
        | ({"note": marks} if marks else {})
    )


def _red_cells(signed: SignedReport) -> Resource:
    red = signed.content.nucleated_red_cells
    code = codes.nucleated_red_cells_code(signed.content.reading)
    value = (
        absent("not-performed", NO_CELLS)
        if red.per_100_leukocytes is None
        else {"valueQuantity": quantity(red.per_100_leukocytes, codes.PER_100_LEUKOCYTES)}
    )
    count = part(signed, "cells-of-class", "Cells of this class", {"valueInteger": red.count})
    return (
        start_result(signed, "nrbc", loinc(code, "Nucleated red cells"))
        | value
        | read_by(signed.content)
        | {"component": [count]}
    )


def _seen(signed: SignedReport, cells: OtherCells) -> Resource:
    kind, text = cells.cell_type.code, f"{cells.cell_type.display}, seen"
    own = [coding(signed.system("codes"), f"seen-{kind.replace('_', '-')}", text)]
    return (
        start_result(signed, f"seen-{kind}", concept(*own, text=text))
        | {"valueQuantity": quantity(cells.count, codes.CELLS)}
        | read_by(signed.content)
    )


def _platelets(signed: SignedReport, seen: FieldCounts) -> Resource:
    value = (
        absent("not-performed", seen.withheld or "No factor of this laboratory is known.")
        if seen.platelets is None
        else {"valueQuantity": quantity(seen.platelets, codes.PER_LITRE)}
    )
    is_known = seen.platelets is not None
    flag = judged(seen.platelets_reference, seen.platelets_flag) if is_known else {}
    parts = [
        part(signed, "fields", "Fields", {"valueInteger": seen.fields}),
        part(
            signed,
            "platelets-per-field",
            "Platelets a field",
            {"valueQuantity": quantity(seen.platelets_per_field, codes.CELLS)},
        ),
        part(
            signed,
            "erythrocytes-per-field",
            "Erythrocytes a field",
            {"valueQuantity": quantity(seen.erythrocytes_per_field, codes.CELLS)},
        ),
    ]
    return (
        start_result(signed, "platelets", loinc(codes.PLATELET_ESTIMATE, "Platelets, estimate"))
        | value
        | flag
        | {"component": parts}
    )


def _morphology(signed: SignedReport, line: MorphologyLine) -> Resource:
    code = codes.MORPHOLOGY_PANELS.get(line.loinc, codes.Code(line.loinc, line.line.display))
    text = f"{line.line.display}, morphology"
    parts = [part_ for item in line.features for part_ in _feature(signed, item)]
    return (
        start_result(signed, f"morphology-{line.line.code}", loinc(code, text))
        | {"valueString": line.statement}
        | ({"component": parts} if parts else {})
    )


def _feature(signed: SignedReport, item: GradedFeature) -> Iterator[dict[str, Any]]:
    grade = coding(signed.system("grades"), str(item.grade), item.grade_name)
    name = item.feature.code.replace("_", "-")
    yield part(
        signed,
        f"grade-{name}",
        item.feature.display,
        {"valueCodeableConcept": concept(grade, text=grade_of(item))},
    )
    if item.count is not None:
        yield part(
            signed,
            f"share-{name}",
            f"{item.feature.display}, {item.unit}",
            {"valueQuantity": quantity(item.count, codes.PERCENT)},
        )
