"""Housekeeping of the API."""

from celery import shared_task

from api.services import idempotency, reminders


@shared_task
def forget_answers() -> None:
    """Delete kept answers that nobody will ask for again."""
    idempotency.forget_answers()


@shared_task
def remind_owners() -> None:
    """Tell owners of tokens that end soon; told already, nothing happens."""
    reminders.remind_owners()
