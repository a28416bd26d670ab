"""The identity provider: where it sends people, and what its tokens prove.

OpenID Connect Core 1.0 with Discovery 1.0, authorization code flow with PKCE (RFC 7636).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt
import requests
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SECONDS = 5.0
KEPT_SECONDS = 600
# How far the clocks of two machines may be apart.
LEEWAY_SECONDS = 30


class ProviderUnreachable(Exception):
    """The provider doesn't answer, or not as a provider does."""


class IdentityRefused(Exception):
    """What came back doesn't prove who somebody is; the words are for the audit trail."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at the provider, as its signed token says.

    ``factors`` are the token's ``amr`` and ``acr``; ``authenticated_at`` is in seconds since 1970,
    and None where the provider doesn't say.
    """

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str
    groups: tuple[str, ...]
    factors: tuple[str, ...]
    authenticated_at: int | None


def is_configured() -> bool:
    """Tell whether this site has a provider."""
    return bool(settings.OIDC_ISSUER and settings.OIDC_CLIENT_ID)


def address_for_sign_in(
    *, redirect_uri: str, state: str, nonce: str, verifier: str, anew: bool
) -> str:
    """Return where to send somebody to prove who they are.

    ``anew`` wants it proved again even of those whom the provider knows already.

    Raises:
        ProviderUnreachable: the provider can't be asked where.
    """
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    asked = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": " ".join(settings.OIDC_SCOPES),
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge.decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    if anew:
        asked |= {"prompt": "login", "max_age": "0"}
    return _with(_metadata()["authorization_endpoint"], asked)


def address_for_sign_out(return_to: str) -> str | None:
    """Return where to end the session at the provider too; None where it offers no such page."""
    address = _metadata().get("end_session_endpoint")
    if not address:
        return None
    asked = {"client_id": settings.OIDC_CLIENT_ID, "post_logout_redirect_uri": return_to}
    return _with(address, asked)


def identify(*, code: str, verifier: str, redirect_uri: str, nonce: str) -> Identity:
    """Exchange a code for a token, and return who the token says somebody is.

    Raises:
        ProviderUnreachable: the provider doesn't answer.
        IdentityRefused: the code or the token is not good.
    """
    return _read(_verified(_redeem(code, verifier, redirect_uri), nonce))


def _redeem(code: str, verifier: str, redirect_uri: str) -> str:
    metadata = _metadata()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
        "client_id": settings.OIDC_CLIENT_ID,
    }
    secret, auth = settings.OIDC_CLIENT_SECRET, None
    methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if secret and "client_secret_basic" in methods:
        # RFC 6749, section 2.3.1: both are encoded as in a form first.
        auth = (quote(settings.OIDC_CLIENT_ID, safe=""), quote(secret, safe=""))
    elif secret:
        form["client_secret"] = secret
    answer = _call("POST", metadata["token_endpoint"], data=form, auth=auth)
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise IdentityRefused(f"no token: {str(answer.get('error', 'none given'))[:80]}")
    return token


def _verified(token: str, nonce: str) -> Mapping[str, Any]:
    """Return what a token says after the checks of OpenID Connect Core 1.0, section 3.1.3.7."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_of(token),
            algorithms=list(ALGORITHMS),
            audience=settings.OIDC_CLIENT_ID,
            issuer=settings.OIDC_ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.PyJWTError as error:
        raise IdentityRefused(f"token: {type(error).__name__}") from error
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise IdentityRefused("token: not for this attempt")
    is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", "" if is_shared else settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
        raise IdentityRefused("token: for another party")
    return claims


def _key_of(token: str) -> jwt.PyJWK:
    """Return the key that a token names; keys are fetched again if the provider has new ones."""
    name = jwt.get_unverified_header(token).get("kid")
    for is_fresh in (False, True):
        keys = _signing_keys(is_fresh=is_fresh)
        found = [key for key in keys if key.key_id == name] if name else keys
        if len(found) == 1 or (found and name):
            return found[0]
    raise IdentityRefused("token: unknown key")


def _signing_keys(*, is_fresh: bool) -> list[jwt.PyJWK]:
    published = _kept("jwks", _metadata()["jwks_uri"], is_fresh=is_fresh)
    keys = jwt.PyJWKSet.from_dict(dict(published)).keys
    return [key for key in keys if key.public_key_use in (None, "sig")]


def _read(claims: Mapping[str, Any]) -> Identity:
    email = str(claims.get(settings.OIDC_EMAIL_CLAIM) or "").strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        email = ""
    acr, at = claims.get("acr"), claims.get("auth_time")
    return Identity(
        issuer=claims["iss"],
        subject=str(claims["sub"]),
        email=email,
        is_email_verified=bool(email)
        and (settings.OIDC_EMAILS_ARE_VERIFIED or claims.get("email_verified") in (True, "true")),
        name=str(claims.get("name") or "")[:150],
        groups=_words(claims.get(settings.OIDC_GROUPS_CLAIM)),
        factors=(*_words(claims.get("amr")), *_words(acr)),
        authenticated_at=int(at) if isinstance(at, int | float) else None,
    )


def _words(claim: Any) -> tuple[str, ...]:
    items = claim if isinstance(claim, list) else [claim]
    return tuple(item for item in items if isinstance(item, str) and item)


def _metadata() -> Mapping[str, Any]:
    """Return what the provider says of itself; every address in it has to be a safe one."""
    address = settings.OIDC_ISSUER.rstrip("/") + "/.well-known/openid-configuration"
    metadata = _kept("metadata", address)
    if metadata.get("issuer") != settings.OIDC_ISSUER:
        raise ProviderUnreachable("It calls itself something else than OIDC_ISSUER.")
    if missing := {"authorization_endpoint", "token_endpoint", "jwks_uri"} - metadata.keys():
        raise ProviderUnreachable(f"It doesn't say its {', '.join(sorted(missing))}.")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
        require_safe(metadata.get(name) or settings.OIDC_ISSUER)
    return metadata


def _kept(what: str, address: str, *, is_fresh: bool = False) -> Mapping[str, Any]:
    """Return what the provider publishes at an address, fetched at most every few minutes."""
    key = f"oidc:{what}:{hashlib.sha256(address.encode()).hexdigest()}"
    found: Mapping[str, Any] | None = None if is_fresh else cache.get(key)
    if found is None:
        found = _call("GET", address)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _call(method: str, address: str, **options: Any) -> Mapping[str, Any]:
    require_safe(address)
    try:
        answer = requests.request(
            method,
            address,
            timeout=SECONDS,
            allow_redirects=False,
            headers={"Accept": "application/json"},
            **options,
        )
        content = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise ProviderUnreachable(type(error).__name__) from error
    if answer.status_code >= 500 or not isinstance(content, dict):
        raise ProviderUnreachable(f"It answered {answer.status_code}.")
    return content


def require_safe(address: str) -> None:
    """Refuse an address that isn't HTTPS, unless it is on this very machine."""
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return
    raise ProviderUnreachable("Its address is not HTTPS.")


def _with(address: str, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"
