"""How the description tells of an address: its scope, its refusals, its headers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)

from api.problems import MEDIA_TYPE
from api.shapes.problems import ProblemShape

ALWAYS = {
    401: "No token, or one that opens nothing.",
    403: "The token lacks the scope, or its owner the duty.",
    429: "Too often; `Retry-After` says when.",
}
SENT = {
    400: "The body or a header can't be read.",
    409: "The record is not in a state for this, or somebody was faster.",
    413: "The body is too large.",
    415: "The body is of another type.",
    422: "Something in the body is not right; `errors` point at it.",
}
FOUND = {
    404: "No such thing, or not yours to see.",
    410: "It was disposed of; `detail` says when and under which rule.",
    412: "Changed since.",
}
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{8,255}$"},
    OpenApiParameter.HEADER,
    required=True,
    description="New for each new request. The same again gets the same answer for two days.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The entity tag of what was read; 412 if the record has changed since.",
)


def problems(*statuses: int, more: Mapping[int, str] | None = None) -> dict[Any, Any]:
    """Return the refusals of an address for the description."""
    words = ALWAYS | SENT | FOUND
    words |= more or {}
    told = {status: words[status] for status in (*ALWAYS, *statuses, *(more or {}))}
    return {
        (status, MEDIA_TYPE): OpenApiResponse(ProblemShape, description=text)
        for status, text in sorted(told.items())
    }


def reads(
    answer: Any, *, tag: str, summary: str, found: bool = True, query: Any = None, **more: Any
) -> Callable[..., Any]:
    """Describe a GET."""
    statuses: list[int] = [404] if found else []
    parameters: Sequence[Any] = [query] if query else []
    if query:
        statuses.append(422)
    return extend_schema(
        tags=[tag],
        summary=summary,
        parameters=[*parameters, *more.pop("parameters", [])],
        responses={
            200: answer,
            304: OpenApiResponse(description="As you have it."),
            **problems(*statuses),
        },
        **more,
    )


def posts(
    sent: Any,
    answer: Any,
    *,
    tag: str,
    summary: str,
    status: int = 200,
    found: bool = True,
    example: Mapping[str, Any] | None = None,
    refusals: Mapping[int, str] | None = None,
    **more: Any,
) -> Callable[..., Any]:
    """Describe a POST that needs an idempotency key; ``example`` is a body that could be sent.

    ``refusals`` are those that only this address knows.
    """
    statuses = [*SENT, 412, *([404] if found else [])]
    return extend_schema(
        tags=[tag],
        summary=summary,
        request=sent,
        parameters=[IDEMPOTENCY, *more.pop("parameters", [])],
        responses={status: answer, **problems(*statuses, more=refusals)},
        examples=examples_of(example),
        **more,
    )


def examples_of(body: Mapping[str, Any] | None) -> list[OpenApiExample]:
    """Return a body as the example of a description; none where none is given."""
    if body is None:
        return []
    return [OpenApiExample("Example", value=dict(body), request_only=True)]
