"""Publishes this application's tasks once the transaction has committed."""

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# A hint that nobody took up within a minute is dropped: the schedule gives a new one.
HINT_EXPIRES_SECONDS = 60


def check_uploads() -> None:
    """Tell the workers that an archive waits to be opened."""
    _publish_on_commit("learning.tasks.check_uploads")


def check_set_uploads() -> None:
    """Tell the workers that an archive of labelled pictures waits to be opened."""
    _publish_on_commit("learning.tasks.check_set_uploads")


def evaluate_waiting() -> None:
    """Tell the inference workers that evaluations wait."""
    _publish_on_commit("learning.tasks.evaluate_waiting")


def gather_training_sets() -> None:
    """Tell the workers that a training set is to be gathered."""
    _publish_on_commit("learning.tasks.gather_training_sets")


def retrain_waiting() -> None:
    """Tell the workers that a retraining waits."""
    _publish_on_commit("learning.tasks.retrain_waiting")


def _publish_on_commit(name: str) -> None:
    transaction.on_commit(partial(_publish, name), robust=True)


def _publish(name: str) -> None:
    try:
        current_app.send_task(name, expires=HINT_EXPIRES_SECONDS)
    except OperationalError as error:
        logger.warning("The broker can't be reached; %s waits for the schedule: %s", name, error)
