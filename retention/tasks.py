"""Thin tasks: each calls one service. What is to be done stands in the database."""

from celery import shared_task

from classifier.tasks import DatabaseTask
from retention.services import carrying_out, old_notices, patient_copies

# Longer than other tasks, yet below the broker's visibility timeout.
SOFT_SECONDS, HARD_SECONDS = 540, 580


@shared_task(base=DatabaseTask)
def carry_out_disposals() -> None:
    """Go on with approved disposals; a message too many finds none."""
    carrying_out.carry_out_disposals()


@shared_task(base=DatabaseTask, soft_time_limit=SOFT_SECONDS, time_limit=HARD_SECONDS)
def make_patient_copies() -> None:
    """Make the copy that waits longest; a message too many finds none."""
    patient_copies.make_next_copy()


@shared_task(base=DatabaseTask)
def tend_patient_copies() -> None:
    """Delete copies that were kept long enough, and call a worker if any wait."""
    patient_copies.tend_copies()


@shared_task(base=DatabaseTask)
def remove_old_notices() -> None:
    """Clear away notices whose time is over."""
    old_notices.remove_old_notices()
