"""Read models of the administration pages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from accounts import emergency
from accounts.audit import ACTIONS
from accounts.history.following import FOLLOWED
from accounts.lockout import locked_emails
from accounts.models import AuditEvent, IdentityLink, User
from accounts.querysets import AuditEventQuerySet, UserQuerySet
from accounts.single_sign_on import provider


@dataclass(frozen=True, slots=True)
class Change:
    """One recorded value before and after."""

    name: str
    before: str
    after: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An audit event as a reader sees it."""

    event: AuditEvent
    sentence: str
    target_kind: str
    changes: tuple[Change, ...]
    is_followed: bool = False

    @property
    def differences(self) -> tuple[Change, ...]:
        """What became something else: shown at once, where the rest waits to be opened."""
        if self.event.before is None or self.event.after is None:
            return ()
        return tuple(change for change in self.changes if change.is_changed)


def list_users() -> UserQuerySet:
    """Return all people's accounts with what a list shows of them."""
    return User.objects.people().with_state().prefetch_related("groups")


def list_audit_events() -> AuditEventQuerySet:
    """Return the audit trail, newest first, with the seals."""
    return AuditEvent.objects.select_related("seal").order_by("-at", "-id")


def history_of(user: User) -> AuditEventQuerySet:
    """Return what was done to an account, newest first; not what its owner did elsewhere."""
    about = Q(target_type="accounts.user", target_id=str(user.pk))
    return list_audit_events().filter(about)


def is_locked(user: User) -> bool:
    """Tell whether failed sign-ins lock an account now."""
    return user.email in locked_emails()


def waiting_for_factor() -> UserQuerySet:
    """Return who has to set up a second factor before anything else."""
    return User.objects.people().active().filter(must_set_up_factor=True)


def has_second_factor(user: User) -> bool:
    """Tell whether an account asks for more than a password."""
    return Authenticator.objects.filter(user=user).exists()


@dataclass(frozen=True, slots=True)
class ProviderState:
    """How single sign-on stands: the provider, who is connected, who isn't, who could come back."""

    name: str
    issuer: str
    connected: int
    unconnected: list[User]
    emergency: list[User]
    could_open: int


def provider_state() -> ProviderState | None:
    """Return how single sign-on stands; None where no provider is set up."""
    if not provider.is_configured():
        return None
    linked = IdentityLink.objects.filter(ended_at__isnull=True, user=OuterRef("pk"))
    people = User.objects.people().active()
    return ProviderState(
        name=settings.OIDC_NAME,
        issuer=settings.OIDC_ISSUER,
        connected=people.filter(Exists(linked)).count(),
        unconnected=list(people.filter(~Exists(linked), is_emergency=False)),
        emergency=list(people.filter(is_emergency=True)),
        could_open=emergency.could_open().count(),
    )


def ways_in(user: User) -> str:
    """Return by what an account can be opened now, in words."""
    is_linked = user.identity_links.filter(ended_at__isnull=True).exists()
    has_password = user.has_usable_password() and not emergency.is_closed_to(user)
    has_passkey = any(
        one.wrap().is_passwordless
        for one in Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    )
    ways = {
        "single sign-on": is_linked,
        "password": has_password,
        "passkey": has_passkey and not emergency.is_closed_to(user),
        "emergency account": user.is_emergency,
    }
    return ", ".join(way for way, is_open in ways.items() if is_open) or "none yet"


def describe(event: AuditEvent) -> AuditEntry:
    """Turn an event into words and a table of values."""
    return AuditEntry(
        event=event,
        sentence=ACTIONS.get(event.action, event.action),
        target_kind=_kind(event.target_type),
        changes=tuple(changes(event.before, event.after)),
        is_followed=_is_followed(event.target_type),
    )


def _is_followed(target_type: str) -> bool:
    """Tell whether a kind of record has a history of its rows."""
    return bool(target_type) and apps.get_model(target_type)._meta.db_table in FOLLOWED


def _kind(target_type: str) -> str:
    """Return what the laboratory calls a kind of record: "image" for "classifier.smearimage"."""
    return str(apps.get_model(target_type)._meta.verbose_name) if target_type else ""


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """Return each recorded value before and after."""
    old, new = before or {}, after or {}
    names = list(dict.fromkeys([*old, *new]))
    return [
        Change(
            name=name.replace("_", " "),
            before=_shown(old.get(name)),
            after=_shown(new.get(name)),
            is_changed=old.get(name) != new.get(name),
        )
        for name in names
    ]


def as_text(value: Any) -> str:
    """Return a recorded value as one line of text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(value: Any) -> str:
    return "" if value is None else as_text(value)
