"""Thin tasks: each calls one service."""

from celery import shared_task

from notifications.services import mailing, reading


@shared_task
def mail_notices() -> None:
    """Mail what waits; a message too many finds nothing to do."""
    mailing.mail_notices()


@shared_task
def remove_old_notices() -> None:
    """Clear away what is months old."""
    reading.remove_old()
