"""Publishes tasks once the transaction has committed; the only place that names them.

A message is only a hint that rows wait. If the broker can't be reached nothing is lost, as the
reaper publishes again; so publishing never fails the caller and never makes him wait for long.
"""

import logging
import uuid
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# A hint that nobody took up within a minute is dropped: the reaper gives a new one.
HINT_EXPIRES_SECONDS = 60


def classify_waiting_runs() -> None:
    """Tell the inference workers, after commit, that runs wait."""
    _publish_on_commit("classifier.tasks.classify_waiting_runs")


def pass_on_waiting_runs() -> bool:
    """Tell the inference workers at once; False if the broker can't be reached."""
    return _publish("classifier.tasks.classify_waiting_runs")


def work_on_slides() -> None:
    """Tell the workers, after commit, that a slide waits to be checked or taken fields from."""
    _publish_on_commit("classifier.tasks.work_on_slides")


def embed_reference_cells() -> None:
    """Tell the inference workers, after commit, that reference cells wait for embeddings."""
    _publish_on_commit("classifier.tasks.embed_reference_cells")


def make_thumbnails(image_id: uuid.UUID) -> None:
    """Tell the workers, after commit, that a field has cells without small pictures.

    Nobody repeats it: what a worker didn't make is made when it is asked for.
    """
    _publish_on_commit("classifier.tasks.make_thumbnails", str(image_id))


def reassess_critical_results() -> None:
    """Have the open cases held against the critical limits as they are after commit."""
    _publish_on_commit("classifier.tasks.reassess_critical_results")


def mail_escalation(alert_id: int) -> None:
    """Have word sent after commit that a critical result was passed on, where mail is set up."""
    if settings.MAIL_IS_CONFIGURED:
        send = partial(_publish, "classifier.tasks.mail_escalation", alert_id, expires=None)
        transaction.on_commit(send, robust=True)


def explain_waiting() -> None:
    """Tell the inference workers, after commit, that explanations wait."""
    _publish_on_commit("classifier.tasks.explain_waiting")


def _publish_on_commit(name: str, *arguments: str) -> None:
    transaction.on_commit(partial(_publish, name, *arguments), robust=True)


def _publish(name: str, *arguments: str | int, expires: int | None = HINT_EXPIRES_SECONDS) -> bool:
    try:
        current_app.send_task(name, args=arguments, expires=expires)
    except OperationalError as error:
        logger.warning("The broker can't be reached; %s waits for the reaper: %s", name, error)
        return False
    return True
