"""The second factor: setting up, signing in with it, recovery codes; all of it audited."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.cache import cache
from django.test import Client

from accounts.models import AuditEvent, User
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("empty_cache")

SETUP = "/account/2fa/totp/activate/"


def _code(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def _confirm(client: Client) -> None:
    client.post("/account/reauthenticate/", {"password": PASSWORD})


@pytest.fixture
def secret(
    client_for: Callable[[User], Client],
    technician: User,
    django_capture_on_commit_callbacks: Any,
) -> str:
    """Set a second factor up, as its owner does, and return the app's key."""
    client = client_for(technician)
    assert client.get(SETUP)["Location"].startswith("/account/reauthenticate/")
    _confirm(client)
    page = client.get(SETUP).content.decode()
    found = re.search(r'class="secret">(\w+)<', page)
    assert found
    with django_capture_on_commit_callbacks(execute=True):
        client.post(SETUP, {"code": _code(found[1])})
    return found[1]


def test_setting_up_is_recorded_and_the_key_is_encrypted(secret: str, technician: User) -> None:
    factors = [
        (event.after or {}).get("factor")
        for event in AuditEvent.objects.filter(action="user.mfa_added", actor=technician)
    ]
    assert set(factors) == {"recovery_codes", "totp"}
    assert not AuditEvent.objects.filter(payload__contains=secret).exists()
    stored = Authenticator.objects.get(user=technician, type="totp").data["secret"]
    assert secret not in stored


def test_sign_in_asks_for_the_code(secret: str, technician: User, client: Client) -> None:
    credentials = {"login": technician.email, "password": PASSWORD}
    response = client.post("/account/login/", credentials)
    assert response["Location"].startswith("/account/2fa/authenticate/")
    assert client.get("/account/password/change/").status_code == 302
    assert client.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    failed = AuditEvent.objects.get(action="session.sign_in_failed")
    assert failed.after == {"email": technician.email, "factor": "totp"}
    codes = Authenticator.objects.get(user=technician, type="recovery_codes")
    recovery = codes.wrap().get_unused_codes()[0]
    assert client.post("/account/2fa/authenticate/", {"code": recovery})["Location"] == "/"
    assert client.get("/account/password/change/").status_code == 200


def test_a_code_is_taken_once(secret: str, technician: User) -> None:
    credentials = {"login": technician.email, "password": PASSWORD}
    first, second = Client(), Client()
    code = _code(secret)
    for client in (first, second):
        client.post("/account/login/", credentials)
    cache.clear()  # the code that set the factor up counts as used, too
    assert first.post("/account/2fa/authenticate/", {"code": code})["Location"] == "/"
    assert second.post("/account/2fa/authenticate/", {"code": code}).status_code == 200
    assert AuditEvent.objects.filter(action="session.sign_in_failed").count() == 1


def test_pages_of_an_account_with_two_steps(
    secret: str,
    technician: User,
    client_for: Callable[[User], Client],
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = client_for(technician)
    _confirm(client)
    for page in ("", "recovery-codes/", "recovery-codes/generate/", "totp/deactivate/"):
        assert client.get(f"/account/2fa/{page}").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/account/2fa/recovery-codes/generate/")
    assert AuditEvent.objects.filter(action="user.mfa_renewed").exists()
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/account/2fa/totp/deactivate/")
    assert AuditEvent.objects.filter(action="user.mfa_removed", actor=technician).exists()
    assert not Authenticator.objects.filter(user=technician, type="totp").exists()
