"""Reviews: steps on cells carry what their author saw."""

import uuid
from typing import Any

from rest_framework import serializers

from api.shapes.results import CellShape
from api.shapes.strict import Id, Shape, Text, Whole
from classifier.enums import CellType
from classifier.services.marking import REASON_LIMIT
from classifier.services.reviews import COMMENT_LIMIT

MOST_CELLS = 5000
MOST_REVISION = 2**63 - 1


class Look(Shape):
    """A cell, and its revision when it was looked at."""

    cell = Id()
    revision = Whole(min_value=0, max_value=MOST_REVISION)


class Looks(Shape):
    """Cells that were looked at."""

    cells = serializers.ListField(child=Look(), min_length=1, max_length=MOST_CELLS)

    def seen(self) -> dict[uuid.UUID, int]:
        """The cells as the services take them."""
        return {look["cell"]: look["revision"] for look in self.validated_data["cells"]}


class Correction(Looks):
    """Cells that were looked at, and the class that they get."""

    cell_type = serializers.ChoiceField(choices=CellType.choices)
    reason = Text(required=False, default="", allow_blank=True, max_length=REASON_LIMIT)


class Seen(Shape):
    """What is known of the cells that a step may touch; cells left out were never seen marked."""

    cells = serializers.ListField(child=Look(), max_length=MOST_CELLS)

    def seen(self) -> dict[uuid.UUID, int]:
        """The cells as the services take them."""
        return {look["cell"]: look["revision"] for look in self.validated_data["cells"]}


class NewComment(Shape):
    """The interpretation."""

    text = Text(allow_blank=True, trim_whitespace=False, max_length=COMMENT_LIMIT)


class CommentShape(serializers.Serializer[Any]):
    """The interpretation as it is stored."""

    text = serializers.CharField(allow_blank=True)


class StepShape(serializers.Serializer[Any]):
    """What a step did: the cells it touched as they now stand, and those it left out."""

    action_id = Id()
    cells = CellShape(many=True)
    left_out = CellShape(many=True)


class ReviewShape(serializers.Serializer[Any]):
    """Who has a case open, since when."""

    case = Id(source="case_id")
    reviewer = serializers.CharField(source="reviewer.full_name")
    opened_at = serializers.DateTimeField()
    has_platelet_clumps = serializers.BooleanField()
