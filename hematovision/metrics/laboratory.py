"""How the laboratory's work stands, asked of database, broker and disk when somebody reads it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Avg, Count, Min, QuerySet
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from classifier.enums import OPEN_RUN_STATUSES, CaseStatus, RunStatus
from classifier.models import Case, ClassificationRun, CriticalAlert
from exchange.enums import OutboundState, WebhookState
from exchange.models import IncomingMessage, OutboundMessage, WebhookDelivery
from hematovision.health import free_bytes
from vault.selectors import last_backup_at, last_check_at

QUEUES = ("inference", "default")
RECENT = timedelta(minutes=15)


def _by(
    name: str, help_text: str, label: str, rows: QuerySet[Any], known: Iterable[str]
) -> GaugeMetricFamily:
    """Return one gauge for each known value of a column, 0 for those that no row has."""
    counts = dict(rows.order_by().values_list(label).annotate(Count("pk")))
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for value in known:
        family.add_metric([value], counts.get(value, 0))
    return family


def _cases() -> Iterator[Metric]:
    yield _by(
        "hematovision_cases", "Cases by status", "status", Case.objects.all(), CaseStatus.values
    )
    oldest = Case.objects.filter(status=CaseStatus.AWAITING_REVIEW).aggregate(Min("submitted_at"))
    yield GaugeMetricFamily(
        "hematovision_review_wait_seconds",
        "Since when the case was submitted that waits longest for its review",
        value=_seconds_since(oldest["submitted_at__min"]),
    )
    yield GaugeMetricFamily(
        "hematovision_critical_alerts_open",
        "Critical alerts about which somebody is still to be told",
        value=CriticalAlert.objects.filter(closed_at=None, waiting_since__isnull=False).count(),
    )


def _runs() -> Iterator[Metric]:
    runs = ClassificationRun.objects
    yield _by(
        "hematovision_runs_open", "Images to be read", "status", runs.all(), OPEN_RUN_STATUSES
    )
    waiting = runs.claimable().aggregate(Min("queued_at"))["queued_at__min"]
    yield GaugeMetricFamily(
        "hematovision_run_wait_seconds",
        "How long the image has waited that waits longest for a worker",
        value=_seconds_since(waiting),
    )
    ended = runs.filter(finished_at__gt=timezone.now() - RECENT)
    known = [status for status in RunStatus.values if status not in OPEN_RUN_STATUSES]
    yield _by("hematovision_runs_recent", "Images read in 15 minutes", "status", ended, known)
    mean = ended.aggregate(Avg("inference_ms"))["inference_ms__avg"]
    yield GaugeMetricFamily(
        "hematovision_inference_recent_seconds",
        "Mean time of the model for an image, of 15 minutes; 0 without one",
        value=(mean or 0) / 1000,
    )


def _messages() -> Iterator[Metric]:
    yield _by(
        "hematovision_outbound_messages", "HL7 messages to receivers", "state",
        OutboundMessage.objects.all(), OutboundState.values,
    )  # fmt: skip
    yield _by(
        "hematovision_webhook_deliveries", "Deliveries of webhooks", "state",
        WebhookDelivery.objects.all(), WebhookState.values,
    )  # fmt: skip
    yield GaugeMetricFamily(
        "hematovision_incoming_waiting",
        "Messages of other systems that wait for a person",
        value=IncomingMessage.objects.waiting().count(),
    )


def _copies() -> Iterator[Metric]:
    """What never happened has no moment, and so no sample: alert on its absence too."""
    for what, moment in (("backup", last_backup_at()), ("vault_check", last_check_at())):
        if moment is not None:
            yield GaugeMetricFamily(
                f"hematovision_last_{what}_timestamp_seconds",
                "When it last came to its end, since 1970",
                value=moment.timestamp(),
            )


def _queues() -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "hematovision_queue_messages", "Hints to workers in the broker", labels=["queue"]
    )
    broker = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2)
    with broker:
        for queue in QUEUES:
            family.add_metric([queue], broker.llen(queue))
    yield family


def _disk() -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "hematovision_disk_free_bytes",
        "Free space where images are kept",
        value=free_bytes(),
    )


SOURCES: dict[str, tuple[Callable[[], Iterator[Metric]], ...]] = {
    "database": (_cases, _runs, _messages, _copies),
    "broker": (_queues,),
    "disk": (_disk,),
}


class LaboratoryCollector(Collector):
    """Asks each source anew; one that doesn't answer is `hematovision_up` 0 and says nothing."""

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of every source that answers, and which those are."""
        up = GaugeMetricFamily("hematovision_up", "1 if the source answered", labels=["source"])
        for source, asks in SOURCES.items():
            try:
                families = [family for ask in asks for family in ask()]
            except (DatabaseError, redis.RedisError, OSError):
                up.add_metric([source], 0)
                continue
            up.add_metric([source], 1)
            yield from families
        yield up


def _seconds_since(moment: Any) -> float:
    return (timezone.now() - moment).total_seconds() if moment else 0.0
