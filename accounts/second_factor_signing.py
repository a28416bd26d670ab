"""Giving the second factor again, before a signature."""

import json
import time
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import TextChoices
from django.http import HttpRequest

from accounts.models import User
from accounts.second_factor import REAL_FACTORS
from accounts.second_factor_forms import KeyConfirmationForm, SigningCodeForm
from accounts.sign_in_policy import current_policy


class Factor(TextChoices):
    """What somebody proved to hold."""

    CODE = "totp", "Code from an authenticator app"
    KEY = "webauthn", "Security key"
    RECOVERY = "recovery_codes", "Recovery code"


class FactorRefused(Exception):
    """The second factor is missing or wrong; the sentence is meant for its owner."""


def fresh_factor(request: HttpRequest, user: User) -> Factor | None:
    """Return the second factor given in this session within the last minutes, if one was."""
    since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    given = [
        record["type"]
        for record in get_authentication_records(request, user)
        if record.get("method") == "mfa" and record["at"] >= since
    ]
    return Factor(given[-1]) if given else None


def signing_needs_factor() -> bool:
    """Say whether the laboratory wants a second factor under each signature."""
    return current_policy().signing_needs_second_factor


def confirm_factor(request: HttpRequest, user: User) -> Factor:
    """Return the factor given a moment ago, or check the one that came with this form.

    Wrong ones are audited and counted: five in five minutes, then no more for a while.

    Raises:
        FactorRefused: none was given, it is wrong, or too often it was.
    """
    if fresh := fresh_factor(request, user):
        return fresh
    if not Authenticator.objects.filter(user=user, type__in=REAL_FACTORS).exists():
        raise FactorRefused("Signing needs a second factor here: set one up first.")
    code, credential = request.POST.get("code", ""), request.POST.get("credential", "")
    if not (code.strip() or credential):
        raise FactorRefused("Give a code from your app, or use your security key.")
    # allauth takes the request from its own context, which tests without middleware lack.
    with context.request_context(request):
        form = _form(user, code.strip(), credential)
        if not form.is_valid():
            sentences = [str(error) for errors in form.errors.values() for error in errors]
            raise FactorRefused(" ".join(sentences))
        form.save()
    return fresh_factor(request, user) or Factor.CODE


def _form(user: User, code: str, credential: str) -> Any:
    if code:
        return SigningCodeForm(user=user, data={"code": code})
    return KeyConfirmationForm(user=user, data={"credential": _as_json(credential)})


def _as_json(text: str) -> str:
    """Return an object's text; what is none is refused as a wrong key."""
    try:
        found = json.loads(text)
    except ValueError:
        return "{}"
    return text if isinstance(found, dict) else "{}"
