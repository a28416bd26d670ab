"""Thin tasks: each calls one service. What is to be done stands in the database."""

from celery import shared_task

from classifier.tasks import DatabaseTask
from reports.services import cancelling, research

# Longer than other tasks, yet below the broker's visibility timeout.
SOFT_SECONDS, HARD_SECONDS = 540, 580


@shared_task(base=DatabaseTask, soft_time_limit=SOFT_SECONDS, time_limit=HARD_SECONDS)
def make_research_exports() -> None:
    """Make the research export that waits longest; a message too many finds none."""
    research.make_next_export()


@shared_task(base=DatabaseTask)
def cancel_interims() -> None:
    """Withdraw the interim reports of cases that ended."""
    cancelling.cancel_interims()


@shared_task(base=DatabaseTask)
def tend_research_exports() -> None:
    """Delete exports that were kept long enough, and call a worker if any wait."""
    research.tend_exports()
