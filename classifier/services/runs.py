"""Classification runs: queue, claim, record, fail, reap."""

from classifier.models import Case


def queue_runs(case: Case) -> None:
    """Queue a run of the active model for every image that has no successful one."""
