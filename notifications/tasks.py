"""Thin tasks: each calls one service."""

from celery import shared_task

from notifications.services import mailing


@shared_task
def mail_notices() -> None:
    """Mail what waits; a message too many finds nothing to do."""
    mailing.mail_notices()
