"""Housekeeping of the API."""

from celery import shared_task

from api.services import idempotency


@shared_task
def forget_answers() -> None:
    """Delete kept answers that nobody will ask for again."""
    idempotency.forget_answers()
