"""Thin tasks: each calls one service. What is to be done stands in the database."""

from celery import shared_task
from django.db import InterfaceError, OperationalError

from exchange.services import webhook_delivery


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=2, max_retries=3)
def tell_webhooks() -> None:
    """Tell webhooks of what was issued; a message too many finds nothing to do."""
    webhook_delivery.tell_webhooks()
