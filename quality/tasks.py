"""Thin tasks of the quality boards."""

from celery import shared_task

from classifier.tasks import DatabaseTask
from quality.services import appearance, drift


@shared_task(base=DatabaseTask)
def measure_appearance() -> None:
    """Measure how the cells of newly read cases look."""
    appearance.measure_next()


@shared_task(base=DatabaseTask)
def watch_drift() -> None:
    """Notice drift."""
    drift.watch_drift()
