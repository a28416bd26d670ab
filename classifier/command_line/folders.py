"""Hold the fields of each folder until all are read, so that each white cell counts once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from classifier.command_line.cells import Line, failed
from classifier.command_line.fields import CellPlace, Field, describe_field
from classifier.command_line.files import ImageFile
from ml.fields.overlap import OverlappingPair, match
from ml.fields.repeats import CellKey, repeats
from ml.types import BoundingBox

Case = tuple[Path | None, Path]
"""The folder that was named, and the folder a file lies in: its fields may overlap."""


class Folders:
    """Gives the lines of a folder's fields once every file of that folder has been read."""

    def __init__(self, files: Iterable[ImageFile]) -> None:
        self._unread = Counter(_case_of(file) for file in files)
        self._open: defaultdict[Case, FolderOfFields] = defaultdict(FolderOfFields)

    def add(self, field: Field) -> None:
        """Keep a field, and lay it over those before it."""
        self._open[_case_of(field.file)].add(field)

    def count_off(self, file: ImageFile) -> Iterator[tuple[ImageFile, Line]]:
        """Note that a file is read, whatever its kind; the lines of its folder if it's the last."""
        case = _case_of(file)
        self._unread[case] -= 1
        if not self._unread[case] and case in self._open:
            yield from self._open.pop(case).describe()


def _case_of(file: ImageFile) -> Case:
    return file.named, file.path.parent.absolute()


class FolderOfFields:
    """The fields of one folder and how they overlap: some 150 kB a field, without its pixels."""

    def __init__(self) -> None:
        self._fields: list[Field] = []
        self._overlaps: list[OverlappingPair] = []

    def add(self, field: Field) -> None:
        """Keep a field, and compare it with each one before: about a millisecond a pair."""
        second = len(self._fields)
        for first, earlier in enumerate(self._fields):
            if earlier.features and field.features:
                overlap = match(earlier.features, field.features)
                if overlap:
                    self._overlaps.append(OverlappingPair(first, second, overlap))
        self._fields.append(field)

    def describe(self) -> Iterator[tuple[ImageFile, Line]]:
        """A line a field, in the order they were added."""
        repeat_of = self._repeats()
        for number, field in enumerate(self._fields):
            if field.findings is None:
                yield field.file, failed(field.file, field.error)
            else:
                yield field.file, describe_field(field, field.findings, repeat_of[number])

    def _repeats(self) -> defaultdict[int, dict[int, CellPlace]]:
        """By field, which of its cells are counted elsewhere, and where."""
        white = [_white_cells(field) for field in self._fields]
        boxes: list[list[BoundingBox]] = [[box for _, box, _ in cells] for cells in white]
        cut = {
            CellKey(number, place)
            for number, cells in enumerate(white)
            for place, (_, _, is_cut) in enumerate(cells)
            if is_cut
        }
        found: defaultdict[int, dict[int, CellPlace]] = defaultdict(dict)
        for repeat, counted in repeats(boxes, self._overlaps, cut).items():
            place = (self._fields[counted.field].file, white[counted.field][counted.cell][0])
            found[repeat.field][white[repeat.field][repeat.cell][0]] = place
        return found


def _white_cells(field: Field) -> list[tuple[int, BoundingBox, bool]]:
    """Index among the field's cells, box, and whether the edge cuts it."""
    cells = field.findings.cells if field.findings else ()
    return [
        (index, cell.detection.box, cell.detection.at_edge)
        for index, cell in enumerate(cells)
        if cell.prediction is not None
    ]
