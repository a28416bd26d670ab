"""What people are told of disposals."""

from collections.abc import Iterable

from django.urls import reverse

from accounts.models import AuditEvent, User
from notifications.kinds import NoticeKind


def _keepers(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_retention")


def _disposal(event: AuditEvent) -> str:
    return reverse("retention:disposal", args=[event.target_id])


KINDS = (
    NoticeKind(
        name="disposal.waits",
        title="A disposal waits for approval",
        actions=("disposal.proposed",),
        duty="manage_retention",
        audience=_keepers,
        address=_disposal,
        by_mail=True,
    ),
    NoticeKind(
        name="disposal.finished",
        title="A disposal was carried out",
        actions=("disposal.finished",),
        duty="manage_retention",
        audience=_keepers,
        address=_disposal,
    ),
)
