"""The page that a monitoring system reads."""

import os

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from hematovision.metrics.laboratory import LaboratoryCollector


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Show all metrics to who holds METRICS_TOKEN; without such a token there is no such page."""
    held = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not constant_time_compare(held, settings.METRICS_TOKEN):
        raise Http404
    return HttpResponse(_requests() + _laboratory(), content_type=CONTENT_TYPE_LATEST)


def _laboratory() -> bytes:
    registry = CollectorRegistry()
    registry.register(LaboratoryCollector())
    return generate_latest(registry)


def _requests() -> bytes:
    """Add up what all web processes have counted, or read this one's where it is alone."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)
