"""Notices, and who wants which of them how."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from notifications.enums import MailState
from notifications.kinds import KINDS, NoticeKind
from notifications.querysets import NoticeQuerySet


class Notice(models.Model):
    """Word to one person about one event. No clinical record: old ones are removed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices"
    )
    kind = models.CharField(max_length=40)
    event = models.ForeignKey(AuditEvent, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    is_shown = models.BooleanField(default=True, help_text="inside the application")
    read_at = models.DateTimeField(null=True)
    mail_state = models.CharField(max_length=8, choices=MailState.choices, default=MailState.NONE)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recipient", "kind", "event"], name="notice_told_once"),
            models.CheckConstraint(
                condition=Q(mail_state__in=MailState.values), name="notice_mail_state_known"
            ),
            models.CheckConstraint(
                condition=Q(mail_state=MailState.SENT, mailed_at__isnull=False)
                | ~Q(mail_state=MailState.SENT) & Q(mailed_at__isnull=True),
                name="notice_sent_says_when",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["recipient", "-created_at"], name="notice_of_person"),
            models.Index(
                fields=["created_at"],
                condition=Q(mail_state=MailState.WAITING),
                name="notice_to_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.recipient})"

    def get_absolute_url(self) -> str:
        return reverse("notifications:open", args=[self.pk])

    @property
    def says(self) -> NoticeKind | None:
        """Its kind; None if no application knows it any more."""
        return KINDS.get(self.kind)

    @property
    def title(self) -> str:
        """The sentence that a mail holds too: it names nobody and nothing."""
        return self.says.title if self.says else "Something happened"


class Wish(models.Model):
    """How a kind of notice is wanted."""

    kind = models.CharField(max_length=40)
    in_app = models.BooleanField()
    by_mail = models.BooleanField()

    class Meta:
        abstract = True


class RoleWish(Wish):
    """What holds for everybody of a role who has said nothing else."""

    role = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["role", "kind"], name="role_wish_once")
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.kind}"


class OwnWish(Wish):
    """What one person has chosen."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind"], name="own_wish_once")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"
