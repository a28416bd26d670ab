"""Thin tasks: each calls one service. What is to be done stands in the database."""

from celery import shared_task

from classifier.tasks import DatabaseTask
from retention.services import carrying_out


@shared_task(base=DatabaseTask)
def carry_out_disposals() -> None:
    """Go on with approved disposals; a message too many finds none."""
    carrying_out.carry_out_disposals()
