"""Queries over notices."""

from typing import TYPE_CHECKING, Self

from django.db import models

from notifications.enums import MailState

if TYPE_CHECKING:
    from accounts.models import User
    from notifications.models import Notice  # noqa: F401


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices."""

    def of(self, user: "User") -> Self:
        """Those that the user sees inside the application."""
        return self.filter(recipient=user, is_shown=True)

    def unread(self) -> Self:
        """Those not read yet."""
        return self.filter(read_at__isnull=True)

    def to_mail(self) -> Self:
        """Those whose mail waits; somebody who left gets none."""
        return self.filter(mail_state=MailState.WAITING, recipient__is_active=True)
