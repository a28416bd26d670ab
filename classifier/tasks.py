"""Thin tasks: each calls one service. What is to be done stands in the database."""

import os
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_ready
from django.db import InterfaceError, OperationalError

from classifier import dispatch
from classifier.services import classification, runs

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
def reap_runs() -> None:
    """Put right what vanished workers and lost messages left behind."""
    runs.reap_runs()


@worker_ready.connect
def look_for_work(sender: Any, **_: Any) -> None:
    """Let a new inference worker load its model at once and take up what waits."""
    if INFERENCE_QUEUE in sender.app.amqp.queues.consume_from:
        dispatch.classify_waiting_runs()
