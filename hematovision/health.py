"""What a load balancer and an operator may ask: does the process live, can the site serve?"""

import dataclasses
from typing import Any

from django.http import HttpRequest, HttpResponse
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable
from health_check.views import HealthCheckView

from vault.stores import the_store

LEAST_FREE_BYTES = 500 * 1024 * 1024
PLENTY = 1 << 50


def free_bytes() -> int:
    """Return how much room is left where images are kept; an object store never says, so plenty."""
    room = the_store().free_bytes()
    return PLENTY if room is None else room


@dataclasses.dataclass
class Disk(HealthCheck):
    """Refuse service before uploads fail for want of space, or of the store itself."""

    def run(self) -> None:
        try:
            the_store().check()
        except OSError as error:
            raise ServiceUnavailable("The store of images can't be used") from error
        if free_bytes() < LEAST_FREE_BYTES:
            raise ServiceUnavailable("The disk for images is nearly full")


class Readiness(HealthCheckView):
    """Answer 200 when database, Redis and disk all serve, otherwise 500; names, no details."""

    checks = ("health_check.checks.Database", "health_check.checks.Cache", Disk)

    def render_to_response(
        self, context: dict[str, Any], *, status: int, **_kwargs: Any
    ) -> HttpResponse:
        return self.render_to_response_text(status)


def live(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process handles requests."""
    return HttpResponse("alive\n", content_type="text/plain; charset=utf-8")
