"""What every FHIR address shares: JSON of FHIR, refusals as OperationOutcome, entity tags."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.http import HttpRequest
from rest_framework.exceptions import NotAcceptable, NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.enums import Scope
from api.problems import Problem, ProblemRaised, answer_problem
from api.v1.base import ApiView
from reports.fhir.values import Resource
from reports.fhir.writing import to_bytes

MEDIA_TYPE = "application/fhir+json"
FORMATS = {"json", "application/json", MEDIA_TYPE, "application/fhir json"}
"""What `_format` may ask for; a plus that wasn't escaped arrives as a space."""
ISSUE_CODES: Mapping[int, str] = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
}


class FhirRenderer(BaseRenderer):
    """Resources as FHIR's JSON."""

    media_type = MEDIA_TYPE
    format = "json"
    charset = "utf-8"

    def render(self, data: Resource | None, *_args: Any, **_options: Any) -> bytes:
        return b"" if data is None else to_bytes(data)


class PlainJsonRenderer(FhirRenderer):
    """The same for those who ask for plain JSON."""

    media_type = "application/json"


class Negotiation(DefaultContentNegotiation):
    """`_format` overrides the header (R4, "_format"); only JSON is spoken."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        wanted = request.query_params.get("_format", "")
        if not wanted:
            return super().select_renderer(request, renderers, format_suffix)
        if wanted not in FORMATS:
            raise NotAcceptable("Only JSON is spoken here.")
        return renderers[0], renderers[0].media_type


class FhirView(ApiView):
    """An address of the FHIR server."""

    scopes: ClassVar[Mapping[str, Scope]] = {"GET": Scope.FHIR_READ, "POST": Scope.FHIR_READ}
    renderer_classes = [FhirRenderer, PlainJsonRenderer]
    parser_classes = [FormParser]
    content_negotiation_class = Negotiation
    schema = None  # its CapabilityStatement describes it, not OpenAPI

    def get_exception_handler(self) -> Callable[[Exception, Mapping[str, Any]], Response]:
        """Everything that is refused is an OperationOutcome."""
        return answer_outcome

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep patients' data out of shared caches."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "private, no-cache"
        return final


class NowhereInFhir(FhirView):
    """Every address that doesn't exist."""

    authentication_classes = []
    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Say so, whoever asks."""
        raise NotFound("This server has no such type or operation.")


def answer_outcome(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Say a problem as an OperationOutcome, with the problem's status and headers."""
    answer = answer_problem(exc, context)
    said = answer.data
    code = ISSUE_CODES.get(answer.status_code, "exception")
    answer.data = make_outcome(code, str(said["detail"]))
    answer.content_type = None
    return answer


def make_outcome(code: str, text: str, severity: str = "error") -> Resource:
    """Return an OperationOutcome of one issue."""
    issue = {"severity": severity, "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def refuse(text: str, status: int = 400) -> ProblemRaised:
    """Return the refusal of a request that isn't right."""
    return ProblemRaised(Problem(status, "invalid", text))


def answer_resource(request: HttpRequest | Request, resource: Resource) -> Response:
    """Return a resource with its entity tag; 304 if the client has this one."""
    tag = entity_tag(resource)
    headers = {"ETag": tag}
    known = [item.strip() for item in request.headers.get("If-None-Match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status=304, headers=headers)
    return Response(resource, headers=headers)


def entity_tag(resource: Resource) -> str:
    """Return the weak tag that R4 makes of the version; of the text where there is none."""
    version = resource.get("meta", {}).get("versionId")
    return f'W/"{version or hashlib.sha256(to_bytes(resource)).hexdigest()[:16]}"'
