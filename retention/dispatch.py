"""Publishes this application's tasks once the transaction has committed."""

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# A hint that nobody took up within a minute is dropped: the schedule gives a new one.
HINT_EXPIRES_SECONDS = 60


def carry_out_disposals() -> None:
    """Tell the workers that an approved disposal waits."""
    transaction.on_commit(partial(_publish, "retention.tasks.carry_out_disposals"), robust=True)


def make_patient_copies() -> None:
    """Tell the workers that somebody asked for everything about a patient."""
    transaction.on_commit(partial(_publish, "retention.tasks.make_patient_copies"), robust=True)


def _publish(task: str) -> None:
    try:
        current_app.send_task(task, expires=HINT_EXPIRES_SECONDS)
    except OperationalError as error:
        logger.warning("The broker can't be reached; %s waits for the schedule: %s", task, error)
