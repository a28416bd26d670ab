"""What owners of tokens are told."""

from collections.abc import Iterable

from django.urls import reverse

from accounts.models import AuditEvent, User
from api.services.reminders import ACTION
from notifications.kinds import NoticeKind


def _owner(event: AuditEvent) -> Iterable[User]:
    return User.objects.filter(api_tokens__pk=event.target_id)


def _tokens(_event: AuditEvent) -> str:
    return reverse("api:tokens")


KINDS = (
    NoticeKind(
        name="api_token.ends_soon",
        title="An API token of yours ends soon",
        actions=(ACTION,),
        duty="view_worklist",
        audience=_owner,
        address=_tokens,
        by_mail=True,
    ),
)
