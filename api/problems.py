"""Refusals as RFC 9457 problems: one shape for everything that goes wrong under the API."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from accounts.context import current_request_id
from api.exceptions import KeyInUse, KeyReused, Stale, TooManyStreams
from classifier.exceptions import (
    DomainError,
    DuplicatePatient,
    EditConflict,
    ImageRefused,
    NotPermitted,
    PartOutOfPlace,
    SlideRefused,
    TransitionRefused,
    UnseenChange,
)
from reports.exceptions import ReportTampered
from vault.failures import failure_behind

MEDIA_TYPE = "application/problem+json"
TYPES = "urn:hematovision:problem:"
CODES: Mapping[type[DomainError], tuple[int, str]] = {
    NotPermitted: (403, "not-permitted"),
    UnseenChange: (409, "unseen-change"),
    EditConflict: (409, "conflict"),
    TransitionRefused: (409, "wrong-state"),
    DuplicatePatient: (409, "duplicate-patient"),
    PartOutOfPlace: (409, "part-out-of-place"),
    ReportTampered: (409, "not-as-signed"),
    KeyInUse: (409, "idempotency-key-in-use"),
    KeyReused: (422, "idempotency-key-reused"),
    Stale: (412, "stale"),
    TooManyStreams: (429, "too-many-streams"),
}
STREAM_RETRY_SECONDS = "30"
FILE_STATUSES = {
    "too_large": 413,
    "duplicate": 409,
    "no_room": 507,
    "quota": 429,
    "not_stored": 503,
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong: a code of ours, a sentence, where in the body, and more by code."""

    status: int
    code: str
    detail: str
    errors: tuple[Mapping[str, str], ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the members of RFC 9457, our `errors`, and the request's id as the instance."""
        said: dict[str, Any] = {
            "type": f"{TYPES}{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if request_id := current_request_id():
            said["instance"] = f"urn:uuid:{request_id}"
        if self.errors:
            said["errors"] = list(self.errors)
        return said | dict(self.more)

    def response(self) -> Response:
        """Return the problem as an answer."""
        answer = Response(self.as_json(), status=self.status, headers=dict(self.headers))
        answer.content_type = MEDIA_TYPE
        return answer


class ProblemRaised(exceptions.APIException):
    """A refusal of the API's own, which says its problem itself."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.status_code = problem.status


def answer_problem(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Turn whatever a view raised into a problem; what nobody foresaw is logged and says little."""
    problem = problem_of(exc)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("An API request failed", exc_info=exc)
        got_request_exception.send(sender=None, request=context["request"]._request)
    return problem.response()


def problem_of(exc: Exception) -> Problem:
    """Return the problem that an exception stands for."""
    if isinstance(exc, ProblemRaised):
        return exc.problem
    if isinstance(exc, Http404):
        return Problem(404, "not-found", "There is no such thing here, or it is not yours to see.")
    if isinstance(exc, RequestDataTooBig):
        return Problem(413, "too-large", "The body is larger than it may be.")
    if isinstance(exc, SuspiciousOperation | UnreadablePostError):
        return Problem(400, "unreadable", "The body can't be read.")
    if isinstance(exc, PermissionDenied):
        return Problem(403, "forbidden", "You may not do this.")
    if isinstance(exc, exceptions.APIException):
        return _of_framework(exc)
    if isinstance(exc, DomainError):
        return _of_domain(exc)
    if failure := failure_behind(exc):
        code = failure.code.replace("_", "-")
        return Problem(failure.status, code, f"{failure.heading}. {failure.text}")
    return Problem(500, "fault", "Something went wrong on our side; it has been noted.")


def _of_framework(exc: exceptions.APIException) -> Problem:
    headers = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(header)
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    if isinstance(exc, exceptions.ValidationError):
        return Problem(
            422, "invalid", "Something in the request is not right.", tuple(errors_in(exc.detail))
        )
    code = str(exc.default_code).replace("_", "-")
    return Problem(exc.status_code, code, str(exc.detail), headers=headers)


def _of_domain(exc: DomainError) -> Problem:
    if isinstance(exc, ImageRefused | SlideRefused):
        what = "image" if isinstance(exc, ImageRefused) else "slide"
        status = FILE_STATUSES.get(exc.code, 422)
        return Problem(status, f"{what}-{exc.code.replace('_', '-')}", str(exc))
    found = next((CODES[kind] for kind in type(exc).mro() if kind in CODES), (422, "refused"))
    status, code = found
    headers = {"Retry-After": STREAM_RETRY_SECONDS} if isinstance(exc, TooManyStreams) else {}
    return Problem(status, code, str(exc), more=_more_of(exc), headers=headers)


def _more_of(exc: DomainError) -> Mapping[str, Any]:
    """Return what a program needs to go on: ids, never a name."""
    if isinstance(exc, UnseenChange):
        return {"cells": [str(cell_id) for cell_id in exc.cell_ids]}
    if isinstance(exc, PartOutOfPlace):
        return {"expected": exc.expected}
    if isinstance(exc, DuplicatePatient):
        found = [str(patient.pk) for patient in exc.candidates]
        return {"patients": found, "is_certain": exc.is_certain}
    return {}


def errors_in(detail: Any, pointer: str = "#") -> Iterator[Mapping[str, str]]:
    """Yield each mistake with a JSON pointer (RFC 6901) to the place in the body it is about."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            place = "" if key == "non_field_errors" else f"/{_escaped(key)}"
            yield from errors_in(inner, pointer + place)
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            is_nested = isinstance(inner, Mapping | list)
            yield from errors_in(inner, f"{pointer}/{number}" if is_nested else pointer)
    else:
        yield {"pointer": pointer, "detail": str(detail)}


def _escaped(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
