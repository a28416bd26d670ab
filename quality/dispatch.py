"""Publishes this application's tasks once the transaction has committed."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# A hint that nobody took up within a minute is dropped: the schedule gives a new one.
HINT_EXPIRES_SECONDS = 60


def read_controls() -> None:
    """Tell the inference workers that a control waits."""
    transaction.on_commit(_publish, robust=True)


def _publish() -> None:
    try:
        current_app.send_task("quality.tasks.read_controls", expires=HINT_EXPIRES_SECONDS)
    except OperationalError as error:
        logger.warning("The broker can't be reached; controls wait for the schedule: %s", error)
