"""Publishes the tasks of this app once the transaction has committed; the only place naming them.

A message is only a hint that rows wait; if the broker is away the schedule publishes again.
"""

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def make_research_exports() -> None:
    """Tell the workers, after commit, that a research export waits."""
    transaction.on_commit(partial(_publish, "reports.tasks.make_research_exports"), robust=True)


def cancel_interims() -> None:
    """Tell the workers, after commit, that a case ended whose interim report may stand."""
    transaction.on_commit(partial(_publish, "reports.tasks.cancel_interims"), robust=True)


def _publish(name: str) -> None:
    try:
        current_app.send_task(name, expires=60)
    except OperationalError as error:
        logger.warning("The broker can't be reached; %s waits for the schedule: %s", name, error)
