"""What a load balancer and an operator may ask: does the process live, can the site serve?"""

import dataclasses
import shutil
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable
from health_check.views import HealthCheckView

LEAST_FREE_BYTES = 500 * 1024 * 1024


@dataclasses.dataclass
class Disk(HealthCheck):
    """Refuse service before uploads fail for want of space."""

    def run(self) -> None:
        settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(settings.MEDIA_ROOT).free < LEAST_FREE_BYTES:
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
    return HttpResponse("alive\n", content_type="text/plain")
