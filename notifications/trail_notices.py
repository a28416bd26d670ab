"""What people are told of the audit trail itself, and of the accounts."""

from collections.abc import Iterable

from django.urls import reverse

from accounts.models import AuditEvent, User
from notifications.kinds import NoticeKind


def _who_reads_the_trail(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("view_audit")


def _anchors(_event: AuditEvent) -> str:
    return reverse("accounts:anchors")


def _history(_event: AuditEvent) -> str:
    return reverse("accounts:history")


def _who_manages_accounts(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_users")


def _account(event: AuditEvent) -> str:
    return reverse("accounts:user_detail", args=[event.target_id])


def _access_reviews(_event: AuditEvent) -> str:
    return reverse("accounts:access_reviews")


def _who_keeps_copies(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_laboratory")


def _copies(_event: AuditEvent) -> str:
    return reverse("vault:copies")


KINDS = (
    NoticeKind(
        name="history.outside",
        title="Records were changed outside the application",
        actions=("history.unexplained", "history.switched_off"),
        duty="view_audit",
        audience=_who_reads_the_trail,
        address=_history,
        by_mail=True,
        is_urgent=True,
    ),
    NoticeKind(
        name="emergency.used",
        title="An emergency account was used",
        actions=("emergency.used",),
        duty="manage_users",
        audience=_who_manages_accounts,
        address=_account,
        by_mail=True,
        is_urgent=True,
    ),
    NoticeKind(
        name="access_review.overdue",
        title="An access review is overdue",
        actions=("access_review.overdue",),
        duty="manage_users",
        audience=_who_manages_accounts,
        address=_access_reviews,
        by_mail=True,
    ),
    NoticeKind(
        name="patient.mass_reading",
        title="One person read unusually many records",
        actions=("patient.mass_reading",),
        duty="view_audit",
        audience=_who_reads_the_trail,
        address=_account,
        by_mail=True,
        is_urgent=True,
    ),
    NoticeKind(
        name="audit.not_anchored",
        title="The audit trail could not be anchored",
        actions=("audit.anchor_refused",),
        duty="view_audit",
        audience=_who_reads_the_trail,
        address=_anchors,
        by_mail=True,
        is_urgent=True,
    ),
    NoticeKind(
        name="vault.backup",
        title="There is no good new backup",
        actions=("vault.backup_failed", "vault.backup_late", "vault.backup_damaged"),
        duty="manage_laboratory",
        audience=_who_keeps_copies,
        address=_copies,
        by_mail=True,
        is_urgent=True,
    ),
    NoticeKind(
        name="vault.unsound",
        title="Stored files are missing or damaged",
        actions=("vault.unsound",),
        duty="manage_laboratory",
        audience=_who_keeps_copies,
        address=_copies,
        by_mail=True,
        is_urgent=True,
    ),
)
