"""How a case stands, at once or as soon as that changes (RFC 7240, `Prefer: wait`)."""

import re
import uuid

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.exceptions import TooManyStreams
from api.services.streams import CaseState, state_of, wait_for_change
from api.shapes.cases import StatusShape
from api.v1.base import ApiView, TokenRequest, entity_tag, is_among
from api.v1.cases import TAG
from api.v1.describing import reads
from classifier.models import Case

WAIT = re.compile(r'wait\s*=\s*"?(\d{1,6})"?', re.IGNORECASE)
PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`wait=20`: with `If-None-Match`, answer once the state is another one, or after "
    f"20 seconds; at most {settings.API_WAIT_SECONDS}.",
)
KNOWN = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The entity tag of the state that is known; 304 if it still is so.",
)


class Status(ApiView):
    """How a case stands."""

    scopes = {"GET": Scope.CASES_READ}

    @reads(StatusShape, tag=TAG, summary="Read how a case stands", operation_id="read_status",
           parameters=[PREFER, KNOWN])  # fmt: skip
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return status, version, and how many images were read.

        With `Prefer: wait=20` and the known state's tag in `If-None-Match` the answer comes with
        the next change, or as 304 when the time is up. `Preference-Applied` says how long was
        meant to be waited; it is missing where too many wait already, and the answer came at once.
        """
        cases = Case.objects.visible_to(request.user).select_related("patient")
        case = get_object_or_404(cases, pk=pk)
        record_read(actor=request.user, patient=case.patient)
        state = state_of(case)
        seconds = wanted_wait(request)
        if not seconds or not is_among(_tag(state), request.headers.get("If-None-Match", "")):
            return _answer(state)
        try:
            changed = wait_for_change(
                case_id=case.pk, token=request.auth, known=state.key, seconds=seconds
            )
        except TooManyStreams:
            return _answer(state)
        if changed is None:
            raise Http404
        return _answer(changed, waited=seconds)


def wanted_wait(request: TokenRequest) -> int:
    """Return how many seconds may be waited, bounded; 0 without the preference.

    Of several the first counts, and what can't be read is ignored (RFC 7240, 2).
    """
    for preference in request.headers.get("Prefer", "").split(","):
        if found := WAIT.fullmatch(preference.partition(";")[0].strip()):
            return min(int(found[1]), settings.API_WAIT_SECONDS)
    return 0


def _answer(state: CaseState, waited: int = 0) -> Response:
    headers = {"Preference-Applied": f"wait={waited}"} if waited else {}
    return Response(StatusShape(state.says).data, headers=headers)


def _tag(state: CaseState) -> str:
    return entity_tag(StatusShape(state.says).data)
