"""What was ordered and what the analyser says, after a case was opened."""

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.response import Response

from api.shapes.cases import CaseShape, WhiteCount
from api.shapes.orders import OrderChange
from api.v1.base import TokenRequest
from api.v1.cases import TAG, Step
from api.v1.describing import IF_MATCH, posts
from api.v1.once import action_id_of, once
from api.v1.reading import body
from classifier.enums import ANALYTE_UNITS, Analyte, ResultStatus
from classifier.models import Case
from classifier.services.analyser import Measured, add_results
from classifier.services.orders import change_order
from classifier.services.transitions import lock_case

ORDER = {
    "priority": "stat",
    "specimen": {"condition": "haemolysed", "condition_note": "Slightly; repeat asked for."},
}
COUNT = {"value": "12.40", "measured_at": "2026-03-01T08:45:00+01:00"}


class ChangeOrder(Step):
    """The order and the specimen of a case."""

    @posts(OrderChange, CaseShape, tag=TAG, summary="Change the order or the specimen",
           parameters=[IF_MATCH], example=ORDER, operation_id="change_order")  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Change priority, requester, clinical details or specimen; what is left out stays.

        409 once the case was submitted.
        """
        form = body(request, OrderChange)
        get_object_or_404(Case.objects.visible_to(request.user), pk=pk)
        return self.take(request, pk, change_order, form.details(lock_case(pk)))


class BringWhiteCount(Step):
    """The analyser's white count."""

    @posts(WhiteCount, CaseShape, tag=TAG, summary="Bring the analyser's white count",
           parameters=[IF_MATCH], example=COUNT, operation_id="bring_white_count")  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Keep a white count; the latest measured one is the case's, and the others stay on record.

        After signing, the case stays as it was signed and the value waits for a reviewer.
        """
        sent = body(request, WhiteCount).validated_data
        found: dict[str, Any] = {
            "source": request.auth.means,
            "message_id": action_id_of(request),
            "results": [_measured(sent)],
        }
        return self.take(request, pk, add_results, found)


def _measured(sent: dict[str, Any]) -> Measured:
    return Measured(
        position=0,
        analyte=Analyte.LEUKOCYTES,
        value=sent["value"],
        measured_at=sent["measured_at"],
        status=ResultStatus.FINAL,
        sent_code=Analyte.LEUKOCYTES,
        sent_value=str(sent["value"]),
        sent_unit=ANALYTE_UNITS[Analyte.LEUKOCYTES],
        leaves_out_erythroblasts=sent["excludes_erythroblasts"],
    )
