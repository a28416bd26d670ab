"""Endpoints of the field viewer: the cells of a field, and a reviewer's word on their boxes."""

import uuid
from typing import Any

from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.audit import record_read
from classifier.api.reviews import CellsSerializer, MemberRequest, ReviewStep, UndoSerializer
from classifier.enums import CellType, RepeatMark
from classifier.selectors import intake
from classifier.selectors.cells import list_field_cells
from classifier.services import boxes


class MayRead(BasePermission):
    """Whoever may read patients' records."""

    message = "Your role may not read patients' records."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.has_perm("accounts.view_patient"))


class BoxField(serializers.ListField):
    """x0, y0, x1, y1 in pixels of the picture."""

    child = serializers.IntegerField(min_value=0)

    def __init__(self) -> None:
        super().__init__(min_length=4, max_length=4)

    def to_internal_value(self, data: Any) -> Any:
        return tuple(super().to_internal_value(data))


class AddSerializer(UndoSerializer):
    """A cell that the detector missed."""

    image_id = serializers.UUIDField()
    box = BoxField()
    cell_type = serializers.ChoiceField(choices=CellType.choices)


class ReshapeSerializer(UndoSerializer):
    """A cell and its outline."""

    cell_id = serializers.UUIDField()
    box = BoxField()


class RepeatSerializer(CellsSerializer):
    """Cells, and whether they were seen in another field."""

    repeat = serializers.ChoiceField(choices=RepeatMark.choices)


class FieldCells(APIView):
    """All cells of one field."""

    permission_classes = [MayRead]

    def get(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Return the cells of a field, red cells and platelets included."""
        image = intake.get_image(request.user, pk)
        record_read(actor=request.user, patient=image.case.patient)
        cells = list_field_cells(image)
        return Response({"cells": [cell.as_json() for cell in cells]})


class AddCell(ReviewStep):
    """Adding a missed cell."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Add a cell to a field."""
        return self.take(request, pk, boxes.add_cell, AddSerializer(data=request.data))


class ReshapeCell(ReviewStep):
    """Drawing a box anew."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Give a cell another outline."""
        return self.take(request, pk, boxes.reshape_cell, ReshapeSerializer(data=request.data))


class RemoveCells(ReviewStep):
    """Removing boxes that hold no cell."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Say that there is no cell in the boxes."""
        return self.take(request, pk, boxes.remove_cells, CellsSerializer(data=request.data))


class MarkRepeats(ReviewStep):
    """Overruling which cells were seen twice."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Say that cells were seen already, or that they are cells of their own."""
        return self.take(request, pk, boxes.mark_repeats, RepeatSerializer(data=request.data))
