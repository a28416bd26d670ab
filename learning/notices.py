"""What people are told of the laboratory's models."""

from collections.abc import Iterable

from django.urls import reverse

from accounts.models import AuditEvent, User
from notifications.kinds import NoticeKind


def _who_manages(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_models")


def _who_reads(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("review_case")


def _who_is_concerned(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("view_worklist")


def _set_to_read(event: AuditEvent) -> str:
    return reverse("learning:set_read", args=[event.target_id])


def _models(_event: AuditEvent) -> str:
    return reverse("learning:models")


KINDS = (
    NoticeKind(
        name="learning.in_use",
        title="Another classifier is in use",
        actions=("model.promoted", "model.rolled_back", "model.put_in_use_by_command"),
        duty="view_worklist",
        audience=_who_is_concerned,
        address=_models,
    ),
    NoticeKind(
        name="learning.refused",
        title="A candidate for the classifier was refused",
        actions=("model.refused", "model.upload_refused"),
        duty="manage_models",
        audience=_who_manages,
        address=_models,
    ),
    NoticeKind(
        name="learning.nominated",
        title="Cells wait to be named by a second reader",
        actions=("labelled_set.nominated",),
        duty="review_case",
        audience=_who_reads,
        address=_set_to_read,
    ),
)
