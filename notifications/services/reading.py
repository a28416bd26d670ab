"""Noting that notices were read, and clearing away old ones."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from notifications.enums import MailState
from notifications.models import Notice

if TYPE_CHECKING:
    from accounts.models import User

KEPT = timedelta(days=90)
"""For how long notices are kept where the laboratory says nothing else."""


def mark_read(*, user: "User", notice_id: uuid.UUID | None = None) -> int:
    """Note that the user has read a notice (None: all); return how many were unread."""
    unread = Notice.objects.filter(recipient=user).unread()
    if notice_id is not None:
        unread = unread.filter(pk=notice_id)
    return unread.update(read_at=timezone.now())


def remove_older_than(moment: datetime) -> int:
    """Remove notices written before a moment, unless their mail still waits; return how many."""
    old = Notice.objects.filter(~Q(mail_state=MailState.WAITING))
    return old.filter(created_at__lt=moment).delete()[0]
