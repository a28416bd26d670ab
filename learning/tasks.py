"""Thin tasks: each calls one service. What is to be done stands in the database."""

import os

from celery import shared_task

from classifier.tasks import DatabaseTask
from learning.services import evaluations, shadow, uploads


@shared_task(base=DatabaseTask)
def check_uploads() -> None:
    """Open and try the archives that wait; a message too many finds none."""
    uploads.check_uploads()


@shared_task(bind=True, base=DatabaseTask)
def evaluate_waiting(self: DatabaseTask) -> None:
    """Read labelled sets with the versions that wait for it, unless images wait to be read."""
    evaluations.evaluate_waiting(worker=f"{self.request.hostname}:{os.getpid()}")


@shared_task(base=DatabaseTask, soft_time_limit=30, time_limit=45)
def read_in_shadow() -> None:
    """Let candidates read again what was read; a slow one is stopped before it holds anybody up."""
    shadow.read_in_shadow()
