"""Everything that changes an account: one function, one transaction, one audit event each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import (
    audit,
    dispatch,
    emergency,
    invitations,
    lockout,
    own_duties,
    policies,
    second_factor,
)
from accounts.enums import AccountState, Role
from accounts.exceptions import (
    EmailTaken,
    LastAdministrator,
    NotPermitted,
    OwnAccount,
    ReasonMissing,
    WrongState,
)
from accounts.models import User

# What a person confirms on joining; kept in the audit trail beside the acceptance.
ELECTRONIC_SIGNATURE_STATEMENT = (
    "I alone know my password. What is recorded or signed under this account is mine, and my "
    "electronic signature binds me as my handwritten one does."
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An account and the link that opens it, to be handed over once."""

    user: User
    link: str


@transaction.atomic
def invite_user(
    *, actor: User, email: str, full_name: str, role: str, title: str = ""
) -> Invitation:
    """Make an account that cannot be used until its owner has set a password.

    An e-mail that any account holds, whatever its state, is refused: people come back by
    renewing or reactivating, so that one person stays one account.
    """
    _require_manager(actor)
    return _invite(actor, email, full_name, role, title)


@transaction.atomic
def invite_consultant(*, actor: User, email: str, full_name: str, title: str = "") -> Invitation:
    """Invite somebody from outside who is to give opinions and nothing else; see `invite_user`.

    Whoever may ask for opinions may do this; every other role is for those who manage accounts.
    """
    if not policies.can_invite_consultants(actor):
        raise NotPermitted("Only those who may refer cases may invite a consultant.")
    return _invite(actor, email, full_name, Role.CONSULTANT, title)


def _invite(actor: User, email: str, full_name: str, role: str, title: str) -> Invitation:
    email = email.strip().lower()
    existing = User.objects.filter(email=email).first()
    if existing is not None:
        raise EmailTaken(f"{email} already has an account, which is {existing.state.label}.")
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                email=email,
                full_name=full_name.strip(),
                title=title.strip(),
                role=role,
                is_active=False,
            )
    except IntegrityError as error:
        raise EmailTaken(f"{email} was given an account a moment ago.") from error
    audit.record(actor=actor, action="user.invited", target=user, after=_details(user))
    return _hand_over(user)


@transaction.atomic
def renew_invitation(*, actor: User, user: User) -> Invitation:
    """Make a new link for somebody who hasn't joined yet; the earlier link stops working."""
    _require_manager(actor)
    user = _lock(user)
    _require_state(user, AccountState.INVITED)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    audit.record(actor=actor, action="user.invitation_renewed", target=user)
    return _hand_over(user)


@transaction.atomic
def accept_invitation(*, token: str, full_name: str, title: str, password: str) -> User:
    """Open the account an invitation belongs to, as its owner; works once."""
    user = _lock(invitations.read_invitation(token))
    invitations.read_invitation(token)
    emergency.refuse_if_closed(user)
    user.set_password(password)
    user.save(update_fields=["password"])
    return open_invited(user, full_name, title, statement=ELECTRONIC_SIGNATURE_STATEMENT)


@transaction.atomic
def open_invited(user: User, full_name: str, title: str, *, statement: str) -> User:
    """Let somebody whose invitation was proved use the account, as they confirmed."""
    user = _lock(user)
    _require_state(user, AccountState.INVITED)
    before = _details(user)
    user.full_name, user.title = full_name.strip(), title.strip()
    user.is_active = True
    user.joined_at = timezone.now()
    user.save(update_fields=["full_name", "title", "is_active", "joined_at"])
    after = {**_details(user), "statement": statement}
    audit.record(actor=user, action="user.joined", target=user, before=before, after=after)
    return user


@transaction.atomic
def admit(*, email: str, full_name: str, role: Role) -> User:
    """Make an account for somebody whom a group at the provider gives a role; not yet opened."""
    if User.objects.filter(email=email).exists():
        raise EmailTaken(f"{email} has an account already.")
    user = User.objects.create_user(email=email, full_name=full_name, role=role, is_active=False)
    audit.record(actor=User.system(), action="sso.admitted", target=user, after=_details(user))
    return user


@transaction.atomic
def change_details(*, actor: User, user: User, full_name: str, title: str) -> User:
    """Correct a name or credentials; reports already signed keep the name they were signed with."""
    _require_manager(actor)
    user = _lock(user)
    before = _details(user)
    user.full_name, user.title = full_name.strip(), title.strip()
    if _details(user) == before:
        return user
    user.save(update_fields=["full_name", "title"])
    audit.record(
        actor=actor, action="user.changed", target=user, before=before, after=_details(user)
    )
    return user


@transaction.atomic
def change_role(*, actor: User, user: User, role: str, reason: str) -> User:
    """Give an account another role and end its sessions, with a reason.

    Not one's own, nor the last administrator's.
    """
    _require_manager(actor)
    _require_reason(reason)
    _require_other(actor, user)
    user = _lock(user)
    before = user.role
    if before == role:
        raise WrongState(f"{user} is {Role(role).label.lower()} already.")
    if before == Role.ADMINISTRATOR:
        _require_remaining_administrator(user)
    emergency.require_remaining(user)
    user.groups.set([Group.objects.get(name=Role(role).value)])
    user.session_generation += 1
    user.save(update_fields=["session_generation"])
    own_duties.end_all_of(actor=actor, user=user, reason="The role was changed.")
    second_factor.keep_person_in_step(user)
    _record_change(actor, "user.role_changed", user, "role", before, role, reason)
    return User.objects.get(pk=user.pk)


@transaction.atomic
def deactivate_user(*, actor: User, user: User, reason: str) -> User:
    """Close an account and end its sessions, with a reason; the name stays on every record.

    Not one's own, nor the last active administrator's.
    """
    _require_manager(actor)
    _require_reason(reason)
    _require_other(actor, user)
    user = _lock(user)
    before = user.state
    _require_state(user, AccountState.INVITED, AccountState.ACTIVE)
    if user.is_active and user.role == Role.ADMINISTRATOR:
        _require_remaining_administrator(user)
    emergency.require_remaining(user)
    user.is_active = False
    user.deactivated_at = timezone.now()
    user.session_generation += 1
    user.save(update_fields=["is_active", "deactivated_at", "session_generation"])
    _record_change(actor, "user.deactivated", user, "state", before, user.state, reason)
    return user


@transaction.atomic
def reactivate_user(*, actor: User, user: User, reason: str) -> User:
    """Open a closed account again, with a reason; whoever never joined is invited as before."""
    _require_manager(actor)
    _require_reason(reason)
    user = _lock(user)
    before = user.state
    _require_state(user, AccountState.DEACTIVATED)
    user.deactivated_at = None
    user.is_active = user.joined_at is not None
    user.save(update_fields=["is_active", "deactivated_at"])
    _record_change(actor, "user.reactivated", user, "state", before, user.state, reason)
    return user


@transaction.atomic
def unlock_user(*, actor: User, user: User) -> User:
    """Forget the failed sign-ins that lock an account, from wherever they came."""
    _require_manager(actor)
    user = _lock(user)
    forgotten = lockout.forget_failures(user.email)
    if not forgotten:
        raise WrongState(f"{user} is not locked out.")
    before = {"failed_sign_ins": forgotten}
    audit.record(actor=actor, action="user.unlocked", target=user, before=before)
    return user


@transaction.atomic
def require_new_password(*, actor: User, user: User, reason: str) -> User:
    """End an account's sessions and let it do nothing before it has changed its password."""
    _require_manager(actor)
    _require_reason(reason)
    user = _lock(user)
    _require_state(user, AccountState.ACTIVE)
    emergency.refuse_if_closed(user)
    user.must_change_password = True
    user.session_generation += 1
    user.save(update_fields=["must_change_password", "session_generation"])
    audit.record(actor=actor, action="user.password_required", target=user, reason=reason)
    return user


@transaction.atomic
def issue_password_link(*, actor: User, user: User) -> Invitation:
    """Make a link with which somebody who forgot the password sets a new one."""
    _require_manager(actor)
    user = _lock(user)
    _require_state(user, AccountState.ACTIVE)
    emergency.refuse_if_closed(user)
    audit.record(actor=actor, action="user.password_link_issued", target=user)
    return Invitation(user, invitations.make_password_link(user))


@transaction.atomic
def remove_second_factor(*, actor: User, user: User, reason: str) -> User:
    """Take the second factor from somebody who lost it, with a reason, once they proved it.

    Whoever found it opens nothing: all sessions end, and the owner is told by mail.
    """
    _require_manager(actor)
    _require_reason(reason)
    user = _lock(user)
    factors = Authenticator.objects.filter(user=user)
    before = {"factors": sorted(factor.type for factor in factors)}
    if not before["factors"]:
        raise WrongState(f"{user} has no second factor.")
    emergency.require_remaining(user)
    factors.delete()
    user.session_generation += 1
    user.save(update_fields=["session_generation"])
    second_factor.keep_person_in_step(user)
    audit.record(actor=actor, action="user.mfa_removed", target=user, before=before, reason=reason)
    dispatch.mail_factor_removed(user.pk)
    return user


def _lock(user: User) -> User:
    """Return the account as stored now, locked until the transaction ends."""
    return User.objects.people().select_for_update().get(pk=user.pk)


def _hand_over(user: User) -> Invitation:
    """Make the link, and have one mailed too."""
    dispatch.mail_invitation(user.pk)
    return Invitation(user, invitations.make_invitation_link(user))


def _require_manager(actor: User) -> None:
    if not policies.can_manage_users(actor):
        raise NotPermitted("Only those who manage accounts may do this.")


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing("Give a reason; it is kept in the audit trail.")


def _require_other(actor: User, user: User) -> None:
    if actor.pk == user.pk:
        raise OwnAccount("You cannot do this to your own account; ask another administrator.")


def _require_state(user: User, *states: AccountState) -> None:
    if user.state not in states:
        raise WrongState(f"The account of {user} is {user.state.label.lower()}.")


def _require_remaining_administrator(leaving: User) -> None:
    """Refuse unless another administrator remains; all are locked, so that two can't both go."""
    list(User.objects.administrators().select_for_update(of=("self",)).order_by("pk"))
    if not User.objects.administrators().exclude(pk=leaving.pk).exists():
        raise LastAdministrator("The last active administrator has to stay.")


def _details(user: User) -> Mapping[str, Any]:
    return {
        "email": user.email,
        "full_name": user.full_name,
        "title": user.title,
        "role": user.role,
    }


def _record_change(
    actor: User, action: str, user: User, field: str, before: Any, after: Any, reason: str
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=user,
        before={field: before},
        after={field: after},
        reason=reason,
    )
