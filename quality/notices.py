"""What people are told of the quality boards."""

from collections.abc import Iterable

from django.urls import reverse

from accounts.models import AuditEvent, User
from notifications.kinds import NoticeKind


def _who_manages(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_models")


def _board(_event: AuditEvent) -> str:
    return reverse("quality:drift")


KINDS = (
    NoticeKind(
        name="quality.drift",
        title="What comes in has drifted from the baseline",
        actions=("drift.noticed",),
        duty="manage_models",
        audience=_who_manages,
        address=_board,
        by_mail=True,
    ),
)
