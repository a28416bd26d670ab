"""Making, using and revoking tokens."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import record
from api import policies
from api.enums import Scope
from api.exceptions import TokenInvalid, TokenRefused
from api.models import ApiToken
from classifier.exceptions import NotPermitted

if TYPE_CHECKING:
    from accounts.models import User

MARK = "hv"
"""Begins every token, so that scanners for leaked secrets can know one."""
SECRET_BYTES = 32
PREFIX_BYTES = 6


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token and its text, which is shown once and stored nowhere."""

    token: ApiToken
    text: str


@transaction.atomic
def create_token(
    *,
    actor: "User",
    name: str,
    scopes: Collection[str],
    life: timedelta,
    token_id: uuid.UUID | None = None,
) -> NewToken:
    """Give the actor a token for some of what their duties allow, for a time.

    Raises:
        TokenRefused: no scope, one beyond the actor's duties, too long a life, or made already.
    """
    _check(actor, scopes, life)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    token = ApiToken(
        id=token_id or uuid.uuid4(),
        owner=actor,
        name=name.strip(),
        prefix=secrets.token_hex(PREFIX_BYTES),
        secret_sha256=_hash(secret),
        scopes=[scope.value for scope in Scope if scope in scopes],
        expires_at=timezone.now() + life,
    )
    _insert(token)
    record(
        actor=actor,
        action="api_token.created",
        target=token,
        after={"name": token.name, "scopes": token.scopes, "expires_at": token.expires_at},
    )
    return NewToken(token, f"{MARK}_{token.prefix}_{secret}")


@transaction.atomic
def revoke_token(*, token_id: uuid.UUID, actor: "User") -> ApiToken:
    """End a token for good; again is harmless.

    Raises:
        NotPermitted: it is somebody else's, and the actor doesn't manage accounts.
    """
    token = ApiToken.objects.select_for_update(of=("self",)).get(pk=token_id)
    if not policies.can_revoke(actor, token):
        raise NotPermitted("Only its owner or an administrator may revoke a token.")
    if token.revoked_at is not None:
        return token
    token.revoked_at, token.revoked_by = timezone.now(), actor
    token.save(update_fields=["revoked_at", "revoked_by"])
    record(actor=actor, action="api_token.revoked", target=token, after={"name": token.name})
    return token


def use_token(text: str) -> ApiToken:
    """Return the token that a program showed, with its owner, and note that it was used.

    Raises:
        TokenInvalid: it opens nothing. The reason is the same for all that are not the secret.
    """
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    token = ApiToken.objects.select_related("owner").filter(prefix=prefix).first()
    known = token.secret_sha256 if token else _hash("")
    if not hmac.compare_digest(_hash(secret), known) or token is None or mark != MARK:
        raise TokenInvalid("The token is not known.")
    if not token.is_living:
        raise TokenInvalid("The token was revoked or has expired.")
    owner = token.owner
    if not owner.is_active or owner.must_change_password or owner.must_set_up_factor:
        raise TokenInvalid("The token's owner may not act at present.")
    _note_use(token)
    return token


def _check(actor: "User", scopes: Collection[str], life: timedelta) -> None:
    beyond = set(scopes) - set(policies.scopes_of(actor))
    if beyond or not scopes:
        raise TokenRefused("A token needs scopes, and none beyond its owner's duties.")
    if not timedelta(0) < life <= settings.API_TOKEN_MAX_LIFE:
        raise TokenRefused(f"A token lives for {settings.API_TOKEN_MAX_LIFE.days} days at most.")


def _insert(token: ApiToken) -> None:
    try:
        with transaction.atomic():
            token.save(force_insert=True)
    except IntegrityError as error:
        raise TokenRefused("This token was made already; its text was shown once.") from error


def _note_use(token: ApiToken) -> None:
    """Once an hour: a write for each request would be a lock on each token."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    if token.last_used_at is None or token.last_used_at < hour:
        ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(last_used_at=hour)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
