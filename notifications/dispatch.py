"""Publishes the mail task once the transaction has committed; the only place that names it."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def mail_notices() -> None:
    """Have what waits mailed after commit. A dead broker loses nothing: the schedule asks too."""
    transaction.on_commit(_publish, robust=True)


def _publish() -> None:
    try:
        current_app.send_task("notifications.tasks.mail_notices", expires=60)
    except OperationalError as error:
        logger.warning("The broker can't be reached; mail waits for the schedule: %s", error)
