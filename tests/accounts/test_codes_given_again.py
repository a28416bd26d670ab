"""A code of a second factor opens something once; its owner is told of a second try."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import tasks
from accounts.models import AuditEvent, User
from tests.accounts.factors import code_of, give_app, recovery_code
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("empty_cache")

GIVE = "/account/2fa/authenticate/"


def at_the_door(user: User) -> Client:
    """Return a browser that gave the password and is asked for a code."""
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    return client


def gets_in(client: Client, code: str) -> bool:
    return client.post(GIVE, {"code": code}).status_code == 302


def told() -> list[str]:
    return list(
        AuditEvent.objects.filter(action__in=("user.code_reused", "user.recovery_code_used"))
        .order_by("at")
        .values_list("action", flat=True)
    )


@pytest.mark.parametrize("seconds", [0, 40])
def test_an_apps_code_is_refused_again_for_as_long_as_it_would_be_right(
    technician: User, seconds: int
) -> None:
    """With its tolerance a code is right for a minute and a half."""
    secret = give_app(technician)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        code = code_of(secret, step=2)  # that of the next half minute
        assert gets_in(at_the_door(technician), code)
        clock.shift(timedelta(seconds=seconds))
        assert not gets_in(at_the_door(technician), code)
    assert told() == ["user.code_reused"]


def test_a_wrong_code_is_no_second_use(technician: User) -> None:
    give_app(technician)
    assert not gets_in(at_the_door(technician), "000000")
    assert told() == []


def test_a_recovery_code_is_told_of_when_used_and_when_given_again(technician: User) -> None:
    give_app(technician)
    RecoveryCodes.activate(technician)
    code = recovery_code(technician)
    assert gets_in(at_the_door(technician), code)
    assert not gets_in(at_the_door(technician), code)
    assert told() == ["user.recovery_code_used", "user.code_reused"]
    used = AuditEvent.objects.get(action="user.recovery_code_used")
    assert (used.actor, used.after) == (technician, {"left": 9})


def test_the_owner_gets_a_mail(
    technician: User, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.MAIL_IS_CONFIGURED = True
    code = code_of(give_app(technician))
    assert gets_in(at_the_door(technician), code)
    again = at_the_door(technician)
    with django_capture_on_commit_callbacks() as callbacks:
        assert not gets_in(again, code)
    assert len(callbacks) == 1
    tasks.mail_credentials_changed(technician.pk, "user.code_reused")
    assert "given a second time" in mail.outbox[0].body
