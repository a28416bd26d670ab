"""An attempt to be identified by the provider: kept in the session from leaving to coming back."""

import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db.models import TextChoices
from django.http import HttpRequest
from django.urls import reverse

from accounts.single_sign_on import provider
from accounts.single_sign_on.provider import Identity, IdentityRefused

_KEY = "sso_attempts"
_MOST = 5
_SECONDS = 10 * 60


class Purpose(TextChoices):
    """What somebody goes to the provider for."""

    SIGN_IN = "sign_in", "Signing in"
    CONNECT = "connect", "Connecting an account"
    CONFIRM = "confirm", "Confirming who it is"
    SIGN = "sign", "Signing a record"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to the provider and back: single-use, for one browser, for ten minutes.

    ``anew`` says that whoever comes back has to have signed in there after ``at``.
    """

    purpose: str
    next: str
    nonce: str
    verifier: str
    at: int
    user_id: int | None

    @property
    def anew(self) -> bool:
        """Whether being known to the provider already is not enough."""
        return self.purpose in (Purpose.CONFIRM, Purpose.SIGN)


def begin(request: HttpRequest, purpose: Purpose, next_address: str) -> str:
    """Note an attempt, and return the provider's address for it.

    Raises:
        ProviderUnreachable: the provider doesn't answer.
    """
    state = secrets.token_urlsafe(32)
    attempt = Attempt(
        purpose=purpose.value,
        next=next_address,
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(64),
        at=int(time.time()),
        user_id=request.user.pk,
    )
    address = provider.address_for_sign_in(
        redirect_uri=_callback(),
        state=state,
        nonce=attempt.nonce,
        verifier=attempt.verifier,
        anew=attempt.anew,
    )
    others = list(_open(request).items())[1 - _MOST :]
    request.session[_KEY] = dict(others) | {state: asdict(attempt)}
    return address


def take(request: HttpRequest) -> Attempt:
    """Return the attempt that somebody comes back from; it can't be come back from again.

    Raises:
        IdentityRefused: this browser made none such, or somebody else is signed in meanwhile.
    """
    attempts = _open(request)
    found = attempts.pop(request.GET.get("state", ""), None)
    request.session[_KEY] = attempts
    if found is None:
        raise IdentityRefused("unknown or used attempt")
    attempt = Attempt(**found)
    if attempt.user_id != request.user.pk:
        raise IdentityRefused("somebody else is signed in")
    return attempt


def identity_from(request: HttpRequest, attempt: Attempt) -> Identity:
    """Return who the provider says came back.

    Raises:
        ProviderUnreachable: the provider doesn't answer.
        IdentityRefused: it doesn't prove who somebody is, or not of this moment where that matters.
    """
    if error := request.GET.get("error"):
        raise IdentityRefused(f"the provider says {error[:80]}")
    if request.GET.get("iss", settings.OIDC_ISSUER) != settings.OIDC_ISSUER:
        raise IdentityRefused("answer of another provider")  # RFC 9207
    identity = provider.identify(
        code=request.GET.get("code", ""),
        verifier=attempt.verifier,
        redirect_uri=_callback(),
        nonce=attempt.nonce,
    )
    since = attempt.at - provider.LEEWAY_SECONDS
    if attempt.anew and (identity.authenticated_at or 0) < since:
        raise IdentityRefused("not signed in anew at the provider")
    return identity


def _callback() -> str:
    return settings.SITE_URL + reverse("sso_callback")


def _open(request: HttpRequest) -> dict[str, Any]:
    """Return the attempts that may still come back, the oldest first."""
    kept: dict[str, Any] = request.session.get(_KEY, {})
    since = time.time() - _SECONDS
    return {state: one for state, one in kept.items() if one["at"] >= since}
