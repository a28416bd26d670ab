"""Thin tasks of the quality boards."""

from celery import shared_task

from classifier.tasks import DatabaseTask
from quality.services import appearance, control_runs, control_stops, drift, reader_checks


@shared_task(base=DatabaseTask)
def measure_appearance() -> None:
    """Measure how the cells of newly read cases look."""
    appearance.measure_next()


@shared_task(base=DatabaseTask)
def watch_drift() -> None:
    """Notice drift."""
    drift.watch_drift()


@shared_task(base=DatabaseTask)
def read_controls() -> None:
    """Read and judge the controls that wait."""
    control_runs.read_waiting()


@shared_task(base=DatabaseTask)
def watch_controls() -> None:
    """Notice that a control is overdue."""
    control_stops.watch_controls()


@shared_task(base=DatabaseTask)
def tend_checks() -> None:
    """Deal reader checks, and remind of them."""
    reader_checks.tend_checks()
