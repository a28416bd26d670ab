"""The sentences of a report that follow from its figures: method and limits."""

from collections.abc import Iterator
from decimal import Decimal

from reports.content import NucleatedRedCells, Reading, WhiteCount

INTERVALS = (
    "The 95 % intervals (Clopper-Pearson) cover chance in counting cells, "
    "not errors in naming them."
)
SCOPE = (
    "The report covers the leukocytes on the submitted images. "
    "The form of red cells and the number of platelets were not assessed."
)
RED_CELLS = (
    "The analyser's leukocyte count is used as given; it was not corrected for nucleated red cells."
)
VERIFIED = (
    "The signing pathologist reviewed the proposals, could change every one, "
    "and decided every referred cell."
)
MANUAL = "The signing pathologist classified all cells without help from software."


def method_of(reading: Reading) -> str:
    """Say who read the cells: AI-assisted and human-verified, or by eye alone."""
    if not reading.read_by_software:
        return MANUAL
    names = " and ".join(f"{item.name} {item.version}" for item in reading.software)
    by_eye = reading.cells - reading.read_by_software
    proposed = _cells(reading.read_by_software)
    sentences = [
        "AI-assisted, human-verified differential on digital images of single cells.",
        f"{names} proposed a class for {proposed} and referred {reading.referred} to a human.",
        VERIFIED,
    ]
    if by_eye:
        sentences.append(f"{_cells(by_eye).capitalize()} had no proposal and were read by eye.")
    return " ".join(sentences)


def limits_of(
    reading: Reading, white_count: WhiteCount | None, red_cells: NucleatedRedCells, age_note: str
) -> tuple[str, ...]:
    """Say what the figures don't tell."""
    return tuple(_limits(reading, white_count, red_cells, age_note))


def _limits(
    reading: Reading, white_count: WhiteCount | None, red_cells: NucleatedRedCells, age_note: str
) -> Iterator[str]:
    if reading.leukocytes < reading.leukocyte_target:
        yield (
            f"Only {reading.leukocytes} leukocytes were counted; the laboratory aims for "
            f"{reading.leukocyte_target}. The intervals are wide accordingly."
        )
    yield INTERVALS
    if age_note:
        yield f"Results were not held against reference intervals: {age_note}."
    if white_count and (red_cells.per_100_leukocytes or Decimal(0)) > 0:
        yield RED_CELLS
    yield SCOPE


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"
