"""Who is signed in, from where and since when; ending one session, one person's, everybody's."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, policies
from accounts.context import client_address_of
from accounts.exceptions import NotPermitted, ReasonMissing, WrongState
from accounts.middleware import LAST_ACTIVITY
from accounts.models import User

ORIGIN = "origin"
_LONGEST_DEVICE = 200
# What a browser's name is recognised by, the more particular first.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that is open: on what, from where, since when, and when it was last used.

    ``handle`` names it without being the secret that opens it.
    """

    key: str
    user_id: int
    device: str
    address: str
    since: datetime | None
    last_active: datetime | None

    @property
    def handle(self) -> str:
        """Return what pages call this session."""
        return handle_of(self.key)


def handle_of(key: str) -> str:
    """Return a name of a session from which its key can't be had."""
    return hashlib.sha256(f"accounts.session:{key}".encode()).hexdigest()[:32]


def note_origin(request: HttpRequest) -> None:
    """Keep in the session that begins what it began on, from where and when."""
    request.session[ORIGIN] = {
        "device": request.headers.get("User-Agent", "")[:_LONGEST_DEVICE],
        "address": client_address_of(request) or "",
        "since": int(timezone.now().timestamp()),
    }


def list_sessions(users: Iterable[User]) -> list[OpenSession]:
    """Return the sessions that these people have open, the last used first."""
    people = {user.pk: user for user in users}
    found = [each for each in _all_open() if each.user_id in people]
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda each: each.last_active or never, reverse=True)


def _all_open() -> Iterator[OpenSession]:
    """Read all sessions; they last for hours, so that a laboratory has few of them."""
    idle_since = int(timezone.now().timestamp()) - settings.IDLE_LOGOUT_SECONDS
    for stored in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        content: dict[str, Any] = stored.get_decoded()
        if SESSION_KEY in content and content.get(LAST_ACTIVITY, idle_since + 1) > idle_since:
            origin = content.get(ORIGIN, {})
            yield OpenSession(
                key=stored.session_key,
                user_id=int(content[SESSION_KEY]),
                device=name_device(origin.get("device", "")),
                address=origin.get("address", ""),
                since=_moment(origin.get("since")),
                last_active=_moment(content.get(LAST_ACTIVITY)),
            )


def name_device(text: str) -> str:
    """Return what a person calls the browser that introduces itself so."""
    browser = next((name for part, name in _BROWSERS if part in text), "")
    system = next((name for part, name in _SYSTEMS if part in text), "")
    return " on ".join(filter(None, (browser, system))) or "unknown device"


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@transaction.atomic
def end_session(*, actor: User, user: User, handle: str, reason: str) -> None:
    """End one session of a person; whoever has it open is sent to sign in.

    Raises:
        WrongState: it is over already.
    """
    _check(actor, reason)
    found = [each for each in list_sessions([user]) if each.handle == handle]
    if not found:
        raise WrongState("This session is over already.")
    Session.objects.filter(session_key=found[0].key).delete()
    before = {"device": found[0].device, "address": found[0].address, "since": found[0].since}
    audit.record(
        actor=actor, action="user.session_ended", target=user, before=before, reason=reason
    )


@transaction.atomic
def end_sessions(*, actor: User, user: User, reason: str) -> User:
    """Log a person off everywhere; the account stays open, and they may sign in again."""
    _check(actor, reason)
    user = User.objects.people().select_for_update().get(pk=user.pk)
    before = {"sessions": _forget([user])}
    user.session_generation += 1
    user.save(update_fields=["session_generation"])
    audit.record(
        actor=actor, action="user.sessions_ended", target=user, before=before, reason=reason
    )
    return user


@transaction.atomic
def end_all_sessions(*, actor: User, reason: str) -> int:
    """Log everybody else off, everywhere; return how many sessions that ended."""
    _check(actor, reason)
    others = User.objects.people().exclude(pk=actor.pk)
    ended = _forget(others)
    others.update(session_generation=F("session_generation") + 1)
    after = {"sessions": ended}
    audit.record(actor=actor, action="sessions.all_ended", target=None, after=after, reason=reason)
    return ended


def _forget(users: Iterable[User]) -> int:
    keys = [each.key for each in list_sessions(users)]
    Session.objects.filter(session_key__in=keys).delete()
    return len(keys)


def _check(actor: User, reason: str) -> None:
    if not policies.can_manage_users(actor):
        raise NotPermitted("Only those who manage accounts may do this.")
    if not reason.strip():
        raise ReasonMissing("Give a reason; it is kept in the audit trail.")
