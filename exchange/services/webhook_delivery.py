"""Telling webhooks of reports: what is due stands in rows before anything is sent.

A delivery is stored as being sent, with a lease, before the call. If the process dies the lease
runs out and it is sent again under the same id; so nothing is lost, and a receiver that keeps
the ids it has had sees nothing twice.
"""

import json
import logging
import random
import time
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from exchange.enums import WebhookContent, WebhookState
from exchange.models import Webhook, WebhookAttempt, WebhookDelivery
from exchange.webhooks.addresses import AddressRefused, find_target
from exchange.webhooks.calling import CallFailed, post
from exchange.webhooks.signing import signed_headers
from reports.enums import ReportStatus
from reports.exceptions import DocumentFailed, ReportTampered
from reports.fhir.bundles import make_transaction
from reports.fhir.writing import to_bytes
from reports.models import Report
from reports.services.fhir import read_signed

logger = logging.getLogger(__name__)

EVENTS = {
    ReportStatus.PRELIMINARY: "report.issued",
    ReportStatus.FINAL: "report.issued",
    ReportStatus.CORRECTED: "report.corrected",
    ReportStatus.APPENDED: "report.corrected",
    ReportStatus.ENTERED_IN_ERROR: "report.withdrawn",
    ReportStatus.CANCELLED: "report.withdrawn",
}
BATCH = 50
LEASE = timedelta(seconds=90)
MOST_ATTEMPTS = 12
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
GONE = 410
UNFINISHED = (WebhookState.QUEUED, WebhookState.SENDING)


def tell_webhooks(*, seconds: float = 20.0) -> int:
    """Store what is due, then send it for at most so long; return how many calls were made.

    An address that failed is left alone for the rest of the round, so that it keeps no other
    waiting.
    """
    for webhook in Webhook.objects.filter(is_active=True):
        write_missing(webhook)
    ends, calls = time.monotonic() + seconds, 0
    failed: set[uuid.UUID] = set()
    while time.monotonic() < ends and (delivery := claim_next(leaving_out=failed)):
        calls += 1
        if not deliver(delivery):
            failed.add(delivery.webhook_id)
    return calls


def write_missing(webhook: Webhook) -> None:
    """Store a delivery for each report that the webhook was not told of, the oldest first."""
    known = WebhookDelivery.objects.filter(webhook=webhook, report=OuterRef("pk"))
    missing = Report.objects.filter(~Exists(known), issued_at__gte=webhook.reports_from)
    missing = missing.with_signatures().select_related("supersedes")
    for report in missing.order_by("issued_at", "version")[:BATCH]:
        _write(webhook, report)


def _write(webhook: Webhook, report: Report) -> None:
    delivery = WebhookDelivery(
        webhook=webhook, report=report, event=EVENTS[ReportStatus(report.status)]
    )
    try:
        delivery.media_type, delivery.body = _said(delivery)
    except (ReportTampered, DocumentFailed) as refusal:
        delivery.state, delivery.problem = WebhookState.DEAD, str(refusal)[:250]
        delivery.finished_at = delivery.created_at
    WebhookDelivery.objects.bulk_create([delivery], ignore_conflicts=True)


def _said(delivery: WebhookDelivery) -> tuple[str, bytes]:
    """Return media type and body; without identities unless the webhook is to carry them."""
    report = delivery.report
    if delivery.webhook.content == WebhookContent.BUNDLE:
        signed = read_signed(report, actor=User.system(), with_files=True)
        return "application/fhir+json", to_bytes(make_transaction(signed))
    address = f"{settings.SITE_URL}/fhir"
    said = {
        "type": delivery.event,
        "timestamp": report.issued_at.isoformat(),
        "data": {
            "report": str(report.pk),
            "case": str(report.case_id),
            "version": report.version,
            "status": report.status,
            "supersedes": str(report.supersedes_id) if report.supersedes_id else None,
            "links": {
                "report": f"{address}/DiagnosticReport/{report.case_id}/_history/{report.version}",
                "pdf": f"{address}/Binary/{report.pk}",
            },
        },
    }
    return "application/json", json.dumps(said, sort_keys=True).encode()


@transaction.atomic
def claim_next(*, leaving_out: Collection[uuid.UUID] = ()) -> WebhookDelivery | None:
    """Store that the next due delivery is being sent; None if none is due.

    A version waits for the earlier ones of its case, so that no correction overtakes; and an
    address that is being called is left to whoever calls it.
    """
    now = timezone.now()
    earlier = WebhookDelivery.objects.filter(
        webhook=OuterRef("webhook"),
        report__case=OuterRef("report__case"),
        report__version__lt=OuterRef("report__version"),
        state__in=UNFINISHED,
    )
    busy = WebhookDelivery.objects.filter(
        webhook=OuterRef("webhook"), state=WebhookState.SENDING, lease_until__gte=now
    )
    due = WebhookDelivery.objects.filter(
        Q(state=WebhookState.QUEUED, due_at__lte=now)
        | Q(state=WebhookState.SENDING, lease_until__lt=now),
        ~Exists(earlier),
        ~Exists(busy),
        webhook__is_active=True,
    ).exclude(webhook__in=leaving_out)
    delivery = (
        due.select_for_update(of=("self", "webhook"), skip_locked=True)
        .select_related("webhook", "report__case")
        .order_by("due_at", "pk")
        .first()
    )
    if delivery is None:
        return None
    tried = delivery.attempts + 1
    _change(delivery, state=WebhookState.SENDING, attempts=tried, lease_until=now + LEASE)
    return delivery


def deliver(delivery: WebhookDelivery) -> bool:
    """Call the address once and record what came of it; True if it took the delivery."""
    status, detail = _call(delivery, at=timezone.now())
    return record_attempt(delivery, status=status, detail=detail)


def _call(delivery: WebhookDelivery, *, at: datetime) -> tuple[int | None, str]:
    headers = {
        "Content-Type": delivery.media_type,
        "User-Agent": "HematoVision-Webhook/1",
        "Connection": "close",
        **signed_headers(delivery, at=at),
    }
    try:
        target = find_target(delivery.webhook.url)
        status = post(target, headers=headers, body=bytes(delivery.body))
    except (AddressRefused, CallFailed) as problem:
        return None, str(problem)[:250]
    if 300 <= status < 400:
        return status, "The address leads elsewhere; redirects are not followed."
    return status, f"HTTP {status}"


@transaction.atomic
def record_attempt(delivery: WebhookDelivery, *, status: int | None, detail: str) -> bool:
    """Write down what came of an attempt, unless somebody else has taken the delivery over."""
    current = (
        WebhookDelivery.objects.select_for_update(of=("self",))
        .select_related("webhook", "report__case")
        .filter(pk=delivery.pk, state=WebhookState.SENDING, attempts=delivery.attempts)
        .first()
    )
    if current is None:
        return False
    WebhookAttempt.objects.create(
        delivery=current, number=current.attempts, status=status, detail=detail
    )
    if status is not None and 200 <= status < 300:
        _change(
            current,
            state=WebhookState.DELIVERED,
            lease_until=None,
            problem="",
            finished_at=timezone.now(),
        )
        return True
    if status == GONE or current.attempts >= MOST_ATTEMPTS:
        _give_up(current, detail)
    else:
        due_at = timezone.now() + pause_after(current.attempts)
        _change(current, state=WebhookState.QUEUED, lease_until=None, due_at=due_at, problem=detail)
    return False


def pause_after(failures: int) -> timedelta:
    """Return how long to wait: doubled each time up to the longest, a random half of it off."""
    doubled = FIRST_PAUSE * 2 ** min(failures - 1, 20)
    return min(doubled, LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311


def _give_up(delivery: WebhookDelivery, detail: str) -> None:
    problem = f"After attempt {delivery.attempts}: {detail}"[:250]
    _change(
        delivery,
        state=WebhookState.DEAD,
        lease_until=None,
        problem=problem,
        finished_at=timezone.now(),
    )
    logger.error("Webhook delivery %s was given up: %s", delivery.pk, detail)
    record(
        actor=User.system(),
        action="webhook.given_up",
        target=delivery,
        after={"webhook": delivery.webhook.name, "attempts": delivery.attempts},
        reason=problem,
        patient=delivery.report.case.patient_id,
    )


def _change(delivery: WebhookDelivery, **values: Any) -> None:
    for name, value in values.items():
        setattr(delivery, name, value)
    delivery.save(update_fields=list(values))
