"""Endpoint of the gallery's order by likeness."""

import uuid

from django.shortcuts import get_object_or_404
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.audit import record_read
from classifier.api.boxes import MayRead
from classifier.api.reviews import MemberRequest
from classifier.models import Case, Cell
from classifier.selectors.likeness import order_by_likeness


class AlikeCells(APIView):
    """The cells of a case, in the order of their likeness to one of them."""

    permission_classes = [MayRead]

    def get(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Return ids, the most alike first; none and the reason where that can't be told."""
        cells = Cell.objects.filter(image__case__in=Case.objects.visible_to(request.user))
        case = get_object_or_404(cells.select_related("image__case"), pk=pk).image.case
        record_read(actor=request.user, patient=case.patient)
        likeness = order_by_likeness(case, pk)
        return Response({"order": [str(one) for one in likeness.order], "reason": likeness.reason})
