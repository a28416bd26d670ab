"""Endpoints of the comparison: reference cells of a class, and those most like a cell."""

import uuid

from django.shortcuts import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier.api.boxes import MayRead
from classifier.api.reviews import MemberRequest
from classifier.enums import CellType
from classifier.models import Case, Cell
from classifier.selectors import reference_cells as selector


class ReferenceCellsOfClass(APIView):
    """The library, one class at a time; it names no patient."""

    permission_classes = [IsAuthenticated]

    def get(self, request: MemberRequest, cell_type: str) -> Response:
        """Return the latest reference cells of a class; of no class, none."""
        cells = selector.of_class(request.user, cell_type) if cell_type in CellType.values else []
        return Response({"class": cell_type, "cells": [cell.as_json() for cell in cells]})


class NearestReferenceCells(APIView):
    """What the library holds that looks like a cell."""

    permission_classes = [MayRead]

    def get(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Return the reference cells whose embeddings lie nearest, likest first."""
        cases = Case.objects.visible_to(request.user)
        cell = get_object_or_404(Cell.objects.filter(image__case__in=cases), pk=pk)
        found = selector.nearest(request.user, cell)
        return Response({"cells": [each.as_json() for each in found]})
