"""Publishes mail tasks once the transaction has committed; the only place that names them."""

import logging
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def mail_invitation(user_id: int) -> None:
    """Have an invitation mailed after commit, where mail is configured.

    A dead broker loses nothing: the administrator was shown the link, and can renew it.
    """
    if settings.MAIL_IS_CONFIGURED:
        transaction.on_commit(partial(_publish, user_id), robust=True)


def mail_factor_removed(user_id: int) -> None:
    """Have somebody told, after commit, that an administrator took their second factor."""
    if settings.MAIL_IS_CONFIGURED:
        task = "accounts.tasks.mail_factor_removed"
        transaction.on_commit(partial(_publish, user_id, task), robust=True)


def mail_credentials_changed(user_id: int, action: str) -> None:
    """Have somebody told, after commit, that what opens their account was changed."""
    if settings.MAIL_IS_CONFIGURED:
        task = "accounts.tasks.mail_credentials_changed"
        transaction.on_commit(partial(_publish, user_id, task, action), robust=True)


def _publish(user_id: int, task: str = "accounts.tasks.mail_invitation", *more: str) -> None:
    try:
        current_app.send_task(task, args=[user_id, *more])
    except OperationalError as error:
        logger.warning("The broker can't be reached; a message was not mailed: %s", error)
