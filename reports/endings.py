"""Hearing that a case ended, so that its interim report is withdrawn at once."""

from accounts.models import AuditEvent
from reports import dispatch

ENDINGS = ("case.reject", "case.cancel")


def hear(event: AuditEvent) -> None:
    """Call a worker once the transaction that ended a case has committed."""
    if event.action in ENDINGS:
        dispatch.cancel_interims()
