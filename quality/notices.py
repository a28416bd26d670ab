"""What people are told of the quality boards."""

from collections.abc import Iterable

from django.urls import reverse

from accounts.models import AuditEvent, User
from notifications.kinds import NoticeKind


def _who_manages(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_models")


def _board(_event: AuditEvent) -> str:
    return reverse("quality:drift")


def _who_releases(_event: AuditEvent) -> Iterable[User]:
    everybody = User.objects.all()
    return everybody.holding("manage_models") | everybody.holding("approve_limits")


def _who_is_concerned(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("view_worklist")


def _controls(_event: AuditEvent) -> str:
    return reverse("quality:controls")


KINDS = (
    NoticeKind(
        name="quality.stopped",
        title="The classifier is stopped, or reads again",
        actions=("model.stopped", "model.released"),
        duty="view_worklist",
        audience=_who_is_concerned,
        address=_controls,
        is_urgent=True,
    ),
    NoticeKind(
        name="quality.control",
        title="A control is overdue, or the classifier was released without a good one",
        actions=("control.missed", "control.overridden"),
        duty="view_quality",
        audience=_who_releases,
        address=_controls,
        by_mail=True,
        is_urgent=True,
    ),
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
