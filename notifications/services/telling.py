"""Turning an audit event into notices, in the transaction of the event."""

from django.conf import settings

from accounts.models import AuditEvent, User
from notifications import dispatch
from notifications.enums import MailState
from notifications.kinds import NoticeKind, kinds_following
from notifications.models import Notice
from notifications.selectors import Ways, ways_for


def tell(event: AuditEvent) -> None:
    """Leave a notice with everybody whom the event concerns, but for who did it."""
    for kind in kinds_following(event.action):
        people = _audience(kind, event)
        if people:
            _leave(kind, event, people)


def _audience(kind: NoticeKind, event: AuditEvent) -> list[User]:
    people = {person.pk: person for person in kind.audience(event)}
    return [
        person for person in people.values() if person.is_active and person.pk != event.actor_id
    ]


def _leave(kind: NoticeKind, event: AuditEvent, people: list[User]) -> None:
    ways = ways_for(kind, people)
    notices = [_notice(kind, event, person, ways[person]) for person in people]
    wanted = [item for item in notices if item.is_shown or item.mail_state != MailState.NONE]
    Notice.objects.bulk_create(wanted, ignore_conflicts=True)
    if any(item.mail_state == MailState.WAITING for item in wanted):
        dispatch.mail_notices()


def _notice(kind: NoticeKind, event: AuditEvent, person: User, ways: Ways) -> Notice:
    is_mailed = ways.by_mail and settings.MAIL_IS_CONFIGURED
    return Notice(
        recipient=person,
        kind=kind.name,
        event=event,
        created_at=event.at,
        is_shown=ways.in_app,
        mail_state=MailState.WAITING if is_mailed else MailState.NONE,
    )
