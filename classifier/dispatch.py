"""Publishes tasks once the transaction has committed; the only place that names them.

A message is only a hint that rows wait. If the broker can't be reached nothing is lost, as the
reaper publishes again; so publishing never fails the caller and never makes him wait for long.
"""

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# A hint that nobody took up within a minute is dropped: the reaper gives a new one.
HINT_EXPIRES_SECONDS = 60


def classify_waiting_runs() -> None:
    """Tell the inference workers, after commit, that runs wait."""
    _publish_on_commit("classifier.tasks.classify_waiting_runs")


def _publish_on_commit(name: str) -> None:
    transaction.on_commit(partial(_publish, name), robust=True)


def _publish(name: str) -> None:
    try:
        current_app.send_task(name, expires=HINT_EXPIRES_SECONDS)
    except OperationalError as error:
        logger.warning("The broker can't be reached; %s waits for the reaper: %s", name, error)
