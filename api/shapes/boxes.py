"""Boxes on fields: x0, y0, x1, y1 in pixels of the picture, the corners top left first."""

from typing import Any

from rest_framework import serializers

from api.shapes.reviews import MOST_REVISION, Looks
from api.shapes.strict import Flag, Id, Shape, Whole
from classifier.enums import CellType, RepeatMark

MOST_PIXELS = 2**31 - 1


class BoxField(serializers.ListField):
    """Four whole numbers: x0, y0, x1, y1."""

    child = Whole(min_value=0, max_value=MOST_PIXELS)

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=4, max_length=4, **options)

    def to_internal_value(self, data: Any) -> Any:
        return tuple(super().to_internal_value(data))


class MissedCell(Shape):
    """A cell that the detector missed, and what it is."""

    image = Id()
    box = BoxField()
    cell_type = serializers.ChoiceField(choices=CellType.choices)


class Outline(Shape):
    """A cell as it was seen, and its new box."""

    cell = Id()
    revision = Whole(min_value=0, max_value=MOST_REVISION)
    box = BoxField()


class Repeats(Looks):
    """Cells that were looked at, and whether another field shows them already."""

    repeat = serializers.ChoiceField(choices=RepeatMark.choices)


class ClassLooks(Looks):
    """The machine's cells of one class that were looked at."""

    cell_type = serializers.ChoiceField(choices=CellType.choices)


class Clumps(Shape):
    """Whether platelets lie in clumps; then there is no estimate of them."""

    has_clumps = Flag()
