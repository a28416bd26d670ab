"""Endpoint of blind reading: name a cell. It answers nothing that the caller didn't say."""

import uuid
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from classifier.api.reviews import MemberRequest, ReviewStep
from classifier.enums import CellType
from classifier.selectors.reference_counts import cells_to_read, find_reading, get_study, marks_of
from classifier.services.reference_counts import mark_cell


class MarkSerializer(serializers.Serializer[dict[str, Any]]):
    """The class of one cell."""

    action_id = serializers.UUIDField()
    position = serializers.IntegerField(min_value=1)
    cell_type = serializers.ChoiceField(choices=CellType.choices)


class MarkCell(ReviewStep):
    """Naming a cell of one's own reading."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Store the class; answer how many cells have one."""
        form = MarkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        study = get_study(request.user, pk)
        stored = mark_cell(study_id=study.pk, actor=request.user, **form.validated_data)
        reading = find_reading(study, request.user)
        return Response(
            {
                "position": form.validated_data["position"],
                "cell_type": stored.cell_type,
                "done": len(marks_of(reading)) if reading else 0,
                "total": len(cells_to_read(reading)) if reading else 0,
            }
        )
