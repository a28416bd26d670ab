"""Periodic work of the vault."""

from celery import shared_task

from vault.services import clock


@shared_task
def watch_clock() -> None:
    """Notice a clock that is off or was set back."""
    clock.watch_clock()
