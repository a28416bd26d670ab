"""What is known of copies and checks, from the audit trail that tells each."""

from datetime import datetime

from accounts.models import AuditEvent


def last_backup_at() -> datetime | None:
    """Return when the newest backup was made; None if there never was one."""
    return _newest("vault.backed_up")


def last_check_at() -> datetime | None:
    """Return when all stored files were read last; None if they never were."""
    return _newest("vault.checked")


def _newest(action: str) -> datetime | None:
    events = AuditEvent.objects.filter(action=action).order_by("-at")
    moment: datetime | None = events.values_list("at", flat=True).first()
    return moment
