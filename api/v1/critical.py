"""Critical results of a case: what must be told, until when, and the record of calls."""

import uuid
from typing import Any

from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.critical import CriticalResultsShape, NewCall
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import posts, reads
from api.v1.once import action_id_of, once
from api.v1.reading import body
from classifier.models import Case
from classifier.selectors import intake
from classifier.selectors.critical import get_state, list_alerts
from classifier.services.critical_calls import record_call

TAG = "Critical results"
CALL = {
    # pragma: allowlist nextline secret
    "snapshot": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "outcome": "read_back",
    "recipient_name": "Dr. Rossi",
    "recipient_role": "Physician on ward 3",
}


class CriticalResults(ApiView):
    """The critical results of a case."""

    scopes = {"GET": Scope.RESULTS_READ}

    @reads(CriticalResultsShape, tag=TAG, summary="Read the critical results",
           operation_id="read_critical_results")  # fmt: skip
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return what is critical now, what nobody was told yet, and every call so far."""
        case = intake.get_case(request.user, pk)
        record_read(actor=request.user, patient=case.patient)
        return Response(describe(case))


class Calls(ApiView):
    """Calls."""

    scopes = {"POST": Scope.CALLS_WRITE}

    @posts(NewCall, CriticalResultsShape, tag=TAG, summary="Record a call", status=201,
           operation_id="record_call", example=CALL)  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Write down one attempt to tell the findings that the caller had read (`snapshot`).

        Told results need the recipient's name and role, given up ones a reason. What became new
        or worse since the snapshot needs another call; an unknown snapshot is a 409.
        """
        form = body(request, NewCall)
        case = intake.get_case(request.user, pk)
        record_call(
            case_id=case.pk,
            actor=request.user,
            call_id=action_id_of(request),
            snapshot_sha256=form.validated_data["snapshot"],
            attempt=form.attempt(),
        )
        return Response(describe(case), status=201)


def describe(case: Case) -> Any:
    """Return the critical results of a case in their shape."""
    return CriticalResultsShape({"open": get_state(case), "alerts": list_alerts(case)}).data
