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


def _reader(event: AuditEvent) -> Iterable[User]:
    return User.objects.filter(reader_checks=event.target_id)


def _who_keeps_checks(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_laboratory")


def _check(event: AuditEvent) -> str:
    return reverse("quality:check", args=[event.target_id])


def _checks(_event: AuditEvent) -> str:
    return reverse("quality:checks")


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
    NoticeKind(
        name="quality.check",
        title="A reader check waits for you",
        actions=("check.dealt", "check.reminded", "check.overdue"),
        duty="review_case",
        audience=_reader,
        address=_check,
    ),
    NoticeKind(
        name="quality.readers",
        title="A reader check is overdue, lies below the limit, or lacks known cells",
        actions=("check.overdue", "check.below_limit", "check.cells_short"),
        duty="manage_laboratory",
        audience=_who_keeps_checks,
        address=_checks,
        by_mail=True,
    ),
)
