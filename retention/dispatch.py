"""Publishes this application's tasks once the transaction has committed."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# A hint that nobody took up within a minute is dropped: the schedule gives a new one.
HINT_EXPIRES_SECONDS = 60


def carry_out_disposals() -> None:
    """Tell the workers that an approved disposal waits."""
    transaction.on_commit(_publish, robust=True)


def _publish() -> None:
    try:
        current_app.send_task("retention.tasks.carry_out_disposals", expires=HINT_EXPIRES_SECONDS)
    except OperationalError as error:
        logger.warning("The broker can't be reached; disposals wait for the schedule: %s", error)
