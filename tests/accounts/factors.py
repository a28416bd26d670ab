"""Setting second factors up and reading pages that ask for them."""

import json
from html.parser import HTMLParser
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client

from accounts import second_factor
from accounts.models import User
from accounts.sign_in_policy import SignInPolicy
from accounts.sign_in_policy_services import Rules, set_sign_in_policy
from tests.accounts.security_key import SecurityKey
from tests.factories import PASSWORD

KEYS = "/account/2fa/keys/"


class _Options(HTMLParser):
    found: dict[str, Any] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = dict(attrs).get("data-key-options")
        if text:
            self.found = json.loads(text)


def options_in(page: bytes) -> dict[str, Any]:
    """Return what a page asks a security key."""
    parser = _Options()
    parser.feed(page.decode())
    assert parser.found, "the page asks no key"
    return parser.found


def confirm(client: Client) -> None:
    client.post("/account/reauthenticate/", {"password": PASSWORD})


def add_key(client: Client, name: str = "blue key", *, is_passkey: bool = False) -> SecurityKey:
    """Set a key up, as its owner does in a browser."""
    confirm(client)
    key = SecurityKey(is_passkey=is_passkey)
    options = options_in(client.get(f"{KEYS}add/").content)
    form = {"name": name, "credential": key.create(options)}
    response = client.post(f"{KEYS}add/", form | ({"passwordless": "on"} if is_passkey else {}))
    assert response.status_code == 302, response.content.decode()
    return key


def give_app(user: User) -> str:
    """Set an authenticator app up and return its key."""
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(user, secret)
    second_factor.keep_person_in_step(user)
    return secret


def code_of(secret: str, *, step: int = 0) -> str:
    """Return the code that the app shows now, or the one before and after it."""
    counters = list(yield_hotp_counters_from_time())
    return format_hotp_value(hotp_value(secret, counters[0] + step))


def recovery_code(user: User) -> str:
    codes: list[str] = (
        Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()
    )
    return codes[0]


def demand(administrator: User, **rules: Any) -> SignInPolicy:
    """Set the laboratory's rules."""
    return set_sign_in_policy(actor=administrator, rules=Rules(**rules), reason="Decided")
