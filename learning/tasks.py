"""Thin tasks: each calls one service. What is to be done stands in the database."""

import os

from celery import shared_task

from classifier.tasks import DatabaseTask
from learning.services import (
    evaluations,
    retraining,
    set_uploads,
    shadow,
    training_sets,
    uploads,
)


@shared_task(base=DatabaseTask)
def check_uploads() -> None:
    """Open and try the archives that wait; a message too many finds none."""
    uploads.check_uploads()


@shared_task(base=DatabaseTask, soft_time_limit=570, time_limit=590)
def check_set_uploads() -> None:
    """Open, check and freeze an archive of labelled pictures that waits."""
    set_uploads.check_set_uploads()


@shared_task(bind=True, base=DatabaseTask)
def evaluate_waiting(self: DatabaseTask) -> None:
    """Read labelled sets with the versions that wait for it, unless images wait to be read."""
    evaluations.evaluate_waiting(worker=f"{self.request.hostname}:{os.getpid()}")


@shared_task(base=DatabaseTask, soft_time_limit=30, time_limit=45)
def read_in_shadow() -> None:
    """Let candidates read again what was read; a slow one is stopped before it holds anybody up."""
    shadow.read_in_shadow()


@shared_task(base=DatabaseTask, soft_time_limit=570, time_limit=590)
def gather_training_sets() -> None:
    """Gather the cells of training sets that wait for it."""
    training_sets.gather_waiting()


@shared_task(base=DatabaseTask, soft_time_limit=570, time_limit=590)
def retrain_waiting() -> None:
    """Train a candidate that was asked for, in a process of its own, and judge finished ones."""
    retraining.retrain_waiting()
