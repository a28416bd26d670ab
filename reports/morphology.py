"""Graded morphology as a report says it."""

from collections.abc import Mapping

from classifier.enums import CellLine
from classifier.models import Case
from classifier.selectors.morphology import Line, Row, list_lines
from reports.content import Coded, GradedFeature, MorphologyLine

# LOINC panels of smear morphology: RBC, WBC, platelets.
LOINC: Mapping[str, str] = {
    CellLine.RED: "58408-6",
    CellLine.WHITE: "58407-8",
    CellLine.PLATELET: "58406-0",
}


def describe_morphology(case: Case) -> tuple[MorphologyLine, ...]:
    """Return the lines of the case in which anything was graded."""
    return tuple(
        _line(line)
        for line in list_lines(case)
        if any(row.finding is not None for row in line.rows)
    )


def _line(line: Line) -> MorphologyLine:
    return MorphologyLine(
        line=Coded(line.line.value, str(line.line.label)),
        loinc=LOINC[line.line],
        statement=line.statement,
        features=tuple(graded for row in line.rows if (graded := _feature(row))),
    )


def _feature(row: Row) -> GradedFeature | None:
    found = row.finding
    if found is None or found.grade is None:
        return None
    return GradedFeature(
        feature=Coded(row.code, row.feature.name),
        grade=found.grade,
        count=found.count,
        unit=row.feature.get_unit_display(),
        is_overruled=found.is_overruled,
        comment=found.comment,
        version=row.feature.version,
        is_approved=row.feature.is_approved,
    )
