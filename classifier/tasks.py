"""Thin tasks: each calls one service. What is to be done stands in the database."""

import os
import uuid
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_ready
from django.db import InterfaceError, OperationalError

from classifier import dispatch
from classifier.services import (
    classification,
    critical_calls,
    emergencies,
    escalation_mail,
    explaining,
    explanations,
    presence,
    reference_embeddings,
    runs,
    slide_uploads,
    slide_work,
    thumbnails,
)

INFERENCE_QUEUE = "inference"


class DatabaseTask(Task):
    """A task that tries again, later and later, while the database is away for a moment."""

    autoretry_for = (OperationalError, InterfaceError)
    retry_backoff = 2
    retry_backoff_max = 30
    retry_jitter = True
    max_retries = 4


@shared_task(bind=True, base=DatabaseTask)
def classify_waiting_runs(self: DatabaseTask) -> None:
    """Read whatever images wait; a message too many finds nothing to do."""
    classification.classify_waiting_runs(worker=f"{self.request.hostname}:{os.getpid()}")


@shared_task(base=DatabaseTask)
def embed_reference_cells() -> None:
    """Embed the reference cells that the active model has not seen."""
    reference_embeddings.embed_reference_cells()


@shared_task(base=DatabaseTask)
def watch_emergency_access() -> None:
    """Tell once of each emergency access that nobody judged in time."""
    emergencies.tell_overdue()


@shared_task(base=DatabaseTask)
def reap_runs() -> None:
    """Put right what vanished workers and lost messages left behind."""
    runs.reap_runs()


@shared_task(bind=True, base=DatabaseTask)
def explain_waiting(self: DatabaseTask) -> None:
    """Make whatever explanations wait, unless images wait to be read."""
    explaining.explain_waiting(worker=f"{self.request.hostname}:{os.getpid()}")


@shared_task(base=DatabaseTask)
def reap_explanations() -> None:
    """Put right what vanished workers and lost messages left of explanations."""
    explanations.reap_explanations()


@shared_task(base=DatabaseTask)
def make_thumbnails(image_id: str) -> None:
    """Cut the small pictures of a field's cells that are not there yet."""
    thumbnails.make_thumbnails(image_id=uuid.UUID(image_id))


@shared_task(base=DatabaseTask)
def work_on_slides() -> None:
    """Check the slide that waits longest, or take fields from it; a message too many finds none."""
    slide_work.work_on_next_slide()


@shared_task(base=DatabaseTask)
def tend_slides() -> None:
    """Remove uploads that were given up, and call a worker if slides wait."""
    slide_uploads.drop_abandoned()
    slide_work.call_for_waiting()


@shared_task(base=DatabaseTask)
def watch_critical_results() -> None:
    """Pass on critical results that nobody was told in time."""
    critical_calls.escalate_overdue()


@shared_task(base=DatabaseTask)
def reassess_critical_results() -> None:
    """Hold the open cases against critical limits that were just approved or retired."""
    critical_calls.refresh_open_cases()


@shared_task(autoretry_for=(OSError,), retry_backoff=True, retry_jitter=True, max_retries=5)
def mail_escalation(alert_id: int) -> None:
    """Send word of a critical result that nobody was told; without patient data."""
    escalation_mail.send_escalation(alert_id)


@worker_ready.connect
def look_for_work(sender: Any, **_: Any) -> None:
    """Let a new inference worker load its model at once and take up what waits."""
    if INFERENCE_QUEUE in sender.app.amqp.queues.consume_from:
        dispatch.classify_waiting_runs()


@shared_task(base=DatabaseTask)
def forget_presence() -> None:
    """Delete who was at a case long ago."""
    presence.forget_presence()
