"""Counts and times requests by the name of their route; ids and searches are never labels."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import Histogram

GetResponse = Callable[[HttpRequest], HttpResponseBase]

SECONDS = Histogram(
    "hematovision_request_seconds",
    "Time from a request's arrival to its answer's head, in seconds",
    ("method", "route", "status"),
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetricsMiddleware:
    """Observes every request; stands first, so that what others spend is counted too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        method = request.method if request.method in METHODS else "other"
        route = request.resolver_match.view_name if request.resolver_match else "none"
        status = f"{response.status_code // 100}xx"
        SECONDS.labels(method, route, status).observe(time.perf_counter() - began)
        return response
