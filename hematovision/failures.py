"""The answer to what nobody caught: what of the machine fails is named, the rest is a fault."""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from vault.failures import Failure, failure_behind

RETRY_AFTER_SECONDS = 60


def answer_failure(request: HttpRequest) -> HttpResponse:
    """Say what fails and what became of the request; needs no database itself."""
    failure = failure_behind(sys.exc_info()[1])
    if failure is None:
        return server_error(request)
    response = _answer(request, failure)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _answer(request: HttpRequest, failure: Failure) -> HttpResponse:
    if request.path.startswith("/api/"):
        words = {"code": failure.code, "detail": f"{failure.heading}. {failure.text}"}
        return JsonResponse(words, status=failure.status)
    page = render_to_string(
        "components/_plain_page.html",
        {"code": failure.status, "heading": failure.heading, "text": failure.text},
    )
    return HttpResponse(page, status=failure.status)
