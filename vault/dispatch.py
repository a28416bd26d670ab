"""Publishes the vault's work once the transaction has committed; the only place that names it."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def work_at_vault() -> None:
    """Tell the workers, after commit, that work waits; the schedule tells them again."""
    transaction.on_commit(_publish, robust=True)


def _publish() -> None:
    try:
        current_app.send_task("vault.tasks.work_at_vault", expires=60)
    except OperationalError as error:
        logger.warning("The broker can't be reached; the vault's work waits: %s", error)
