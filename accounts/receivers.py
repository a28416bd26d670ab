"""Audit of what the authentication libraries do: sign-in, lock-out, passwords, second factors."""

from typing import Any

from allauth.account import signals as allauth_signals
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import audit, dispatch, second_factor
from accounts.authentication import is_reauthentication
from accounts.lockout import attempted_email
from accounts.models import User
from accounts.open_sessions import note_origin
from accounts.single_sign_on import session


@receiver(user_logged_in)
@transaction.atomic
def audit_sign_in(user: User, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Record a completed sign-in, where it began, and whether a second factor is due first."""
    if request is not None:
        note_origin(request)
    audit.record(actor=user, action="session.signed_in", target=user, after=_way_in(request, user))
    if user.is_emergency:
        audit.record(actor=user, action="emergency.used", target=user)
    second_factor.keep_person_in_step(user)


def _way_in(request: HttpRequest | None, user: User) -> dict[str, object] | None:
    """Say of who came from the identity provider that they did; the others came by the site's."""
    if request is None or not session.came_by_provider_as(request, user):
        return None
    return {"by": "single sign-on", "second_factor_there": session.has_factor(request, user)}


@receiver(user_logged_out)
@transaction.atomic
def audit_sign_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """Record a sign-out, asked for or forced by inactivity."""
    if user is not None:
        idle = getattr(request, "session_timed_out", False)
        action = "session.timed_out" if idle else "session.signed_out"
        audit.record(actor=user, action=action, target=user)


@receiver(user_login_failed)
@transaction.atomic
def audit_failed_sign_in(
    credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Record a failure against the account tried; the system is the actor, for nobody proved who.

    A failure to confirm a signature is the act of the person signed in.
    """
    if request is None:
        return
    email = attempted_email(request, credentials)
    user = User.objects.filter(email=email).first()
    if is_reauthentication(request) and user is not None:
        audit.record(actor=user, action="user.reauthentication_failed", target=user)
        return
    audit.record(
        actor=User.system(),
        action="session.sign_in_failed",
        target=user,
        after={"email": email, "known": user is not None},
    )


@receiver(user_locked_out)
@transaction.atomic
def audit_lock_out(request: HttpRequest, username: str, **kwargs: Any) -> None:
    """Record the failure that locked an account; attempts while it is locked change nothing."""
    if request.axes_failures_since_start is None:  # type: ignore[attr-defined]
        return
    user = User.objects.filter(email=username).first()
    audit.record(
        actor=User.system(),
        action="session.locked_out",
        target=user,
        after={"email": username, "failures": request.axes_failures_since_start},  # type: ignore[attr-defined]
    )


@receiver(allauth_signals.password_changed)
@receiver(allauth_signals.password_set)
@transaction.atomic
def audit_password_change(user: User, **kwargs: Any) -> None:
    """Record a password changed by its owner, which also satisfies a demand for a new one."""
    User.objects.filter(pk=user.pk).update(must_change_password=False)
    audit.record(actor=user, action="user.password_changed", target=user)
    dispatch.mail_credentials_changed(user.pk, "user.password_changed")


@receiver(allauth_signals.password_reset)
@transaction.atomic
def audit_password_reset(user: User, **kwargs: Any) -> None:
    """Record a forgotten password replaced through a one-time link."""
    User.objects.filter(pk=user.pk).update(must_change_password=False)
    audit.record(actor=user, action="user.password_reset", target=user)
    dispatch.mail_credentials_changed(user.pk, "user.password_reset")


@receiver(mfa_signals.authenticator_added)
@transaction.atomic
def audit_factor_added(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record a second factor set up by its owner."""
    after = {"factor": authenticator.type} | _name_of(authenticator)
    audit.record(actor=user, action="user.mfa_added", target=user, after=after)
    dispatch.mail_credentials_changed(user.pk, "user.mfa_added")
    second_factor.keep_person_in_step(user)


@receiver(mfa_signals.authenticator_removed)
@transaction.atomic
def audit_factor_removed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record a second factor removed by its owner."""
    before = {"factor": authenticator.type} | _name_of(authenticator)
    audit.record(actor=user, action="user.mfa_removed", target=user, before=before)
    dispatch.mail_credentials_changed(user.pk, "user.mfa_removed")
    second_factor.keep_person_in_step(user)


@receiver(mfa_signals.authenticator_reset)
@transaction.atomic
def audit_factor_reset(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record recovery codes made anew."""
    after = {"factor": authenticator.type}
    audit.record(actor=user, action="user.mfa_renewed", target=user, after=after)
    dispatch.mail_credentials_changed(user.pk, "user.mfa_renewed")


@receiver(mfa_signals.authenticator_used)
@transaction.atomic
def audit_recovery_code(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record a recovery code that opened something, and tell its owner."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        return
    after = {"left": second_factor.holding_of(user).codes_left}
    audit.record(actor=user, action="user.recovery_code_used", target=user, after=after)
    dispatch.mail_credentials_changed(user.pk, "user.recovery_code_used")


@receiver(mfa_signals.authentication_failed)
@transaction.atomic
def audit_factor_failed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Record a wrong code or key: at the door the system's, later the act of who is signed in."""
    after = {"email": user.email, "factor": authenticator.type}
    if kwargs.get("reauthentication"):
        audit.record(actor=user, action="user.reauthentication_failed", target=user, after=after)
        return
    system = User.system()
    audit.record(actor=system, action="session.sign_in_failed", target=user, after=after)


def _name_of(authenticator: Authenticator) -> dict[str, str]:
    """Return what its owner calls a security key; the other factors have no name."""
    if authenticator.type != Authenticator.Type.WEBAUTHN:
        return {}
    return {"name": authenticator.wrap().name}
