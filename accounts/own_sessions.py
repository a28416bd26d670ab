"""People see where they are signed in themselves, and sign out there."""

from django.contrib.sessions.models import Session
from django.db import transaction

from accounts import audit
from accounts.exceptions import WrongState
from accounts.models import User
from accounts.open_sessions import OpenSession, list_sessions


@transaction.atomic
def end_own_session(*, actor: User, handle: str) -> None:
    """Sign out of one session of one's own.

    Raises:
        WrongState: it is over already, or never was one's own.
    """
    found = [each for each in list_sessions([actor]) if each.handle == handle]
    if not found:
        raise WrongState("This session is over already.")
    _end(actor, found)


@transaction.atomic
def end_own_sessions_but(*, actor: User, key: str) -> int:
    """Sign out everywhere but in the session called ``key``; return how many sessions ended."""
    others = [each for each in list_sessions([actor]) if each.key != key]
    _end(actor, others)
    return len(others)


def _end(actor: User, sessions: list[OpenSession]) -> None:
    Session.objects.filter(session_key__in=[each.key for each in sessions]).delete()
    for each in sessions:
        before = {"device": each.device, "address": each.address, "since": each.since}
        audit.record(actor=actor, action="user.own_session_ended", target=actor, before=before)
