"""Emergency accounts: those that stay open at the site itself when everybody else's passwords are
closed, so that an identity provider that fails locks nobody out. Each use is an alarm."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from accounts import audit, policies, second_factor
from accounts.enums import AccountState, Role
from accounts.exceptions import NotPermitted, ReasonMissing, WrongState
from accounts.models import User
from accounts.querysets import UserQuerySet
from accounts.sign_in_policy import current_policy, lock_policies

_REASON_GIVEN = "emergency_reason_given"


def could_open() -> UserQuerySet:
    """Return the emergency accounts that would let the laboratory back in: administrators with a
    password and a second factor."""
    held = Authenticator.objects.filter(user=OuterRef("pk"), type__in=second_factor.REAL_FACTORS)
    people = User.objects.people().active().in_role(Role.ADMINISTRATOR)
    found: UserQuerySet = people.filter(Exists(held), is_emergency=True).exclude(
        password__startswith=UNUSABLE_PASSWORD_PREFIX
    )
    return found


def is_closed_to(user: User | None) -> bool:
    """Tell whether an account can't be opened here, but at the provider alone."""
    return current_policy().only_emergency_local and not (user and user.is_emergency)


def refuse_if_closed(user: User) -> None:
    """Refuse to give a password to somebody who couldn't use it."""
    if is_closed_to(user):
        raise WrongState(f"{user} signs in at {settings.OIDC_NAME}: passwords are closed here.")


def is_last(user: User) -> bool:
    """Tell whether the laboratory's rules need this account to stay as it is."""
    if not (user.is_emergency and current_policy().only_emergency_local):
        return False
    return (
        could_open().filter(pk=user.pk).exists() and not could_open().exclude(pk=user.pk).exists()
    )


def require_remaining(leaving: User) -> None:
    """Refuse to lose the last emergency account while the others' passwords are closed."""
    lock_policies()
    if is_last(leaving):
        raise WrongState(
            "This is the last emergency account that could open the laboratory. Make another one, "
            "or open passwords for everybody first."
        )


@transaction.atomic
def mark(*, actor: User, user: User, reason: str) -> User:
    """Make an account an emergency account, with a reason; it leaves the provider's hands."""
    user = _locked(actor, user, reason)
    if user.is_emergency or user.state != AccountState.ACTIVE:
        raise WrongState(f"{user} can't be made an emergency account now.")
    if user.identity_links.filter(ended_at=None).exists():
        raise WrongState(
            f"{user} signs in at {settings.OIDC_NAME}: disconnect the account first, or better "
            "make one of its own."
        )
    return _set(actor, user, reason, is_emergency=True)


@transaction.atomic
def unmark(*, actor: User, user: User, reason: str) -> User:
    """Make an emergency account an ordinary one, unless it is the last that is needed."""
    user = _locked(actor, user, reason)
    if not user.is_emergency:
        raise WrongState(f"{user} is no emergency account.")
    require_remaining(user)
    return _set(actor, user, reason, is_emergency=False)


def must_say_why(request: HttpRequest) -> bool:
    """Tell whether an emergency account is open and nobody has said yet what for."""
    return getattr(request.user, "is_emergency", False) and not request.session.get(_REASON_GIVEN)


@transaction.atomic
def say_why(request: HttpRequest, *, actor: User, reason: str) -> None:
    """Record what an emergency account was opened for; until then it opens nothing."""
    if not reason.strip():
        raise ReasonMissing("Give a reason; it is kept in the audit trail.")
    audit.record(actor=actor, action="emergency.explained", target=actor, reason=reason)
    request.session[_REASON_GIVEN] = True


def _locked(actor: User, user: User, reason: str) -> User:
    if not policies.can_manage_users(actor):
        raise NotPermitted("Only those who manage accounts may do this.")
    if not reason.strip():
        raise ReasonMissing("Give a reason; it is kept in the audit trail.")
    found: User = User.objects.people().select_for_update().get(pk=user.pk)
    return found


def _set(actor: User, user: User, reason: str, *, is_emergency: bool) -> User:
    user.is_emergency = is_emergency
    user.save(update_fields=["is_emergency"])
    action = "emergency.marked" if is_emergency else "emergency.unmarked"
    audit.record(actor=actor, action=action, target=user, reason=reason)
    return user
