"""Waiting for a case without asking again and again: server-sent events."""

import re
import uuid

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.audit import record_read
from api.enums import Scope
from api.services.streams import EventStream
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import problems
from classifier.models import Case

KEY = re.compile(r"[0-9-]{1,64}")
LAST = OpenApiParameter(
    "Last-Event-ID",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The id of the last event that was read; that state isn't sent again.",
)


class Events(ApiView):
    """How a case changes."""

    scopes = {"GET": Scope.CASES_READ}

    @extend_schema(
        tags=["Cases"],
        summary="Follow a case",
        operation_id="follow_case",
        parameters=[LAST],
        responses={(200, "text/event-stream"): OpenApiTypes.STR, **problems(404)},
    )
    def get(self, request: TokenRequest, pk: uuid.UUID) -> StreamingHttpResponse:
        """Stream events named `state`: status, version, and how many images were read.

        The present state comes first. The stream ends after some minutes; whoever wants more
        asks again with the last event's id. 429 where too many streams are open.
        """
        cases = Case.objects.visible_to(request.user).select_related("patient")
        case = get_object_or_404(cases, pk=pk)
        record_read(actor=request.user, patient=case.patient)
        last = request.headers.get("Last-Event-ID", "")
        stream = EventStream(
            case_id=case.pk, token=request.auth, last_key=last if KEY.fullmatch(last) else ""
        )
        return StreamingHttpResponse(
            stream,
            content_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
