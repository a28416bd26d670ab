"""When backups are due, and whether the newest is too old."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import AuditEvent, User
from vault import dispatch
from vault.enums import JobKind
from vault.models import VaultJob
from vault.selectors import is_backup_late, last_backup_at
from vault.services.jobs import request_job


def tend_vault() -> None:
    """Ask for the backup whose hour has come, tell once of each that is late, wake a worker.

    A laboratory that was off at that hour is copied once it is on again.
    """
    if settings.BACKUP_FOLDER is not None:
        slot = newest_slot(timezone.localtime())
        if not VaultJob.objects.filter(kind=JobKind.BACKUP, slot=slot).exists():
            request_job(kind=JobKind.BACKUP, actor=User.system(), slot=slot)
        tell_late()
    if VaultJob.objects.claimable().exists():
        dispatch.work_at_vault()


def newest_slot(now: datetime) -> datetime:
    """Return the last moment, in the laboratory's own time, at which a backup was due."""
    slot = now.replace(hour=settings.BACKUP_HOUR, minute=0, second=0, microsecond=0)
    return slot if slot <= now else slot - timedelta(days=1)


@transaction.atomic
def tell_late() -> None:
    """Tell that no backup came to its end for too long; once, until there is one again."""
    if not is_backup_late():
        return
    told = AuditEvent.objects.filter(action="vault.backup_late")
    newest = last_backup_at()
    if newest is not None:
        told = told.filter(at__gt=newest)
    if not told.exists():
        after = {"newest": newest, "hours": settings.BACKUP_LATE_HOURS}
        record(actor=User.system(), action="vault.backup_late", target=None, after=after)
