"""The sentences of a report that follow from its figures: method and limits."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from reports.content import (
    AnalyserResult,
    FieldCounts,
    MorphologyLine,
    NucleatedRedCells,
    Reading,
    WhiteCount,
)

INTERVALS = (
    "The 95 % intervals (Clopper-Pearson) cover chance in counting cells, "
    "not errors in naming them."
)
NAMING = (
    "The second interval, where there is one, also carries the software's confusion in naming "
    "{cells} that the pathologist did not name, as its release's test showed it. Of classes that "
    "the software can't name, such as blasts, it knows nothing."
)
SCOPE = (
    "The report covers the leukocytes on the submitted images. "
    "The form of red cells and the number of platelets were not assessed."
)
SCOPE_OF_FIELDS = (
    "The report covers the cells on the submitted images. The form of red cells was not assessed, "
    "and an estimate of platelets does not replace a count."
)
SCOPE_WITH_COUNT = (
    "The report covers the cells on the submitted images. The form of red cells was not assessed; "
    "the number of platelets is the analyser's."
)
ANALYSER = (
    "Results of the analyser are given as it measured them and beside our own; "
    "our reading of the smear did not change them."
)
NOT_ASSESSED = {
    "the form of red cells": "red",
    "the form of white cells": "white",
    "the form of platelets": "platelet",
}
GRADES = (
    "Morphology was graded by the signing pathologist after ICSH 2015: 0 absent, 1+ few, "
    "2+ moderate, 3+ many."
)
UNAPPROVED_GRADES = (
    "Cut-offs of morphology marked u are not approved by this laboratory; grades are provisional."
)
RED_CELLS = (
    "The analyser's leukocyte count is used as given; it was not corrected for nucleated red cells."
)
CORRECTED = (
    "The analyser's leukocyte count was corrected for nucleated red cells: "
    "100 times the count over 100 plus nucleated red cells per 100 leukocytes."
)
VERIFIED = (
    "The signing pathologist reviewed the proposals, could change every one, "
    "and decided every referred cell."
)
MANUAL = "The signing pathologist classified all cells without help from software."


def method_of(reading: Reading, fields: FieldCounts | None) -> str:
    """Say who read the cells: AI-assisted and human-verified, or by eye alone."""
    if not reading.read_by_software:
        return MANUAL
    names = " and ".join(f"{item.name} {item.version}" for item in reading.software)
    by_eye = reading.cells - reading.read_by_software
    proposed = _cells(reading.read_by_software)
    subject = _subject(reading, fields)
    sentences = [
        f"AI-assisted, human-verified differential on digital images of {subject}.",
        f"{names} proposed a class for {proposed} and referred {reading.referred} to a human.",
        VERIFIED,
    ]
    if fields and fields.detectors:
        names = " and ".join(f"{item.name} {item.version}" for item in fields.detectors)
        sentences.insert(1, f"{names} found the cells of {_fields(fields.fields)}.")
    if by_eye:
        sentences.append(f"{_cells(by_eye).capitalize()} had no proposal and were read by eye.")
    return " ".join(sentences)


def limits_of(
    reading: Reading,
    white_count: WhiteCount | None,
    red_cells: NucleatedRedCells,
    age_note: str,
    fields: FieldCounts | None,
    morphology: Sequence[MorphologyLine] = (),
    analyser: Sequence[AnalyserResult] = (),
) -> tuple[str, ...]:
    """Say what the figures don't tell."""
    return (
        *_limits(reading, white_count, red_cells, age_note),
        *_morphology_limits(morphology),
        *((ANALYSER,) if analyser else ()),
        _scope(fields, morphology, is_counted=_counts_platelets(analyser)),
    )


def _morphology_limits(morphology: Sequence[MorphologyLine]) -> Iterator[str]:
    if not morphology:
        return
    yield GRADES
    if any(not item.is_approved for line in morphology for item in line.features):
        yield UNAPPROVED_GRADES


def _counts_platelets(analyser: Sequence[AnalyserResult]) -> bool:
    return any(item.analyte.code == "platelets" for item in analyser)


def _scope(
    fields: FieldCounts | None, morphology: Sequence[MorphologyLine], *, is_counted: bool
) -> str:
    """Say what the report covers; without graded morphology as it has always been said."""
    if not morphology:
        return SCOPE_WITH_COUNT if is_counted else SCOPE_OF_FIELDS if fields else SCOPE
    graded = {line.line.code for line in morphology}
    missing = [words for words, line in NOT_ASSESSED.items() if line not in graded]
    number = _platelets(has_fields=fields is not None, is_counted=is_counted)
    if not missing:
        return f"The report covers the cells on the submitted images; {number}."
    return (
        f"The report covers the cells on the submitted images. Not graded: {', '.join(missing)}; "
        f"{number}."
    )


def _platelets(*, has_fields: bool, is_counted: bool) -> str:
    if is_counted:
        return "the number of platelets is the analyser's"
    if has_fields:
        return "an estimate of platelets does not replace a count"
    return "the number of platelets was not assessed"


def _limits(
    reading: Reading, white_count: WhiteCount | None, red_cells: NucleatedRedCells, age_note: str
) -> Iterator[str]:
    if reading.leukocytes < reading.leukocyte_target:
        yield (
            f"Only {reading.leukocytes} leukocytes were counted; the laboratory aims for "
            f"{reading.leukocyte_target}. The intervals are wide accordingly."
        )
    yield INTERVALS
    if reading.unconfirmed:
        yield NAMING.format(cells=_cells(reading.unconfirmed))
    if age_note:
        yield f"Results were not held against reference intervals: {age_note}."
    if white_count and white_count.corrected is not None:
        yield CORRECTED
    elif white_count and (red_cells.per_100_leukocytes or Decimal(0)) > 0:
        yield RED_CELLS


def _subject(reading: Reading, fields: FieldCounts | None) -> str:
    if fields is None:
        return "single cells"
    return "whole fields" if fields.fields == reading.images else "whole fields and single cells"


def _fields(number: int) -> str:
    return "1 field" if number == 1 else f"{number} fields"


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"
