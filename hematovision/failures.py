"""The answer to what nobody caught: what of the machine fails is named, the rest is a fault."""

import re
import sys
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from vault.exceptions import Disposed
from vault.failures import Failure, failure_behind

RETRY_AFTER_SECONDS = 60
_DAY = re.compile(r"\d{1,2} \w+ \d{4}")


def answer_failure(request: HttpRequest) -> HttpResponse:
    """Say what fails and what became of the request; needs no database itself."""
    failure = failure_behind(sys.exc_info()[1])
    if failure is None:
        return server_error(request)
    response = _answer(request, failure)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


class DisposedMiddleware:
    """Answers 410 with when and by which rule, where somebody asks for what was disposed of."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer in words; where a page shows a picture, by a picture of these words."""
        if not isinstance(error, Disposed):
            return None
        failure = failure_behind(error)
        if failure is None or not request.headers.get("Accept", "").startswith("image/"):
            return _answer(request, failure) if failure else None
        said, day = str(error).split(" under ", 1)[0], _DAY.search(str(error))
        words = (said, day.group() if day else "")
        drawn = render_to_string("components/_disposed.svg", {"words": words})
        return HttpResponse(drawn, status=failure.status, content_type="image/svg+xml")


def _answer(request: HttpRequest, failure: Failure) -> HttpResponse:
    if request.path.startswith("/api/"):
        words = {"code": failure.code, "detail": f"{failure.heading}. {failure.text}"}
        return JsonResponse(words, status=failure.status)
    page = render_to_string(
        "components/_plain_page.html",
        {"code": failure.status, "heading": failure.heading, "text": failure.text},
    )
    return HttpResponse(page, status=failure.status)
