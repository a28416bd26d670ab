"""Periodic work of the vault, and the long work that people or the clock ask for."""

from typing import Final

from celery import shared_task

from vault.services import clock, jobs, schedule

A_DAY: Final = 24 * 3600


@shared_task
def watch_clock() -> None:
    """Notice a clock that is off or was set back."""
    clock.watch_clock()


@shared_task
def tend_vault() -> None:
    """Ask for the night's backup when its hour has come, and notice when there is none."""
    schedule.tend_vault()


# The row says what is to be done and by whom it is held, so the message is done with at once: one
# that was kept for hours would come again, and again.
@shared_task(acks_late=False, soft_time_limit=A_DAY - 60, time_limit=A_DAY)
def work_at_vault() -> None:
    """Do the work that waits longest; a message too many finds none."""
    jobs.work()
