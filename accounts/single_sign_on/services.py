"""Letting people in by what the provider says of them: connecting, joining, disconnecting."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit, dispatch, policies, services
from accounts.enums import AccountState, Role
from accounts.exceptions import (
    AccountError,
    LastAdministrator,
    NotPermitted,
    ReasonMissing,
    WrongState,
)
from accounts.models import IdentityLink, User
from accounts.sign_in_policy import current_policy
from accounts.single_sign_on.provider import Identity

# What a person confirms on joining from the provider; kept beside the acceptance.
SIGNATURE_STATEMENT = (
    "I alone use the account with which I sign in. What is recorded or signed under it is mine, "
    "and my electronic signature binds me as my handwritten one does."
)
ASK = "Ask an administrator of your laboratory."


class NotLetIn(AccountError):
    """Whom the provider knows, but whom this laboratory doesn't let in; the words are theirs."""

    def __init__(self, words: str, why: str, user: User | None = None) -> None:
        super().__init__(words)
        self.why, self.user = why, user


class MustJoin(AccountError):
    """Somebody who may come in, and first has to open the account."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who may open an account: the invited account, or none yet and the role a group gives."""

    user: User | None
    role: Role


def account_of(identity: Identity) -> User:
    """Return the account that an identity opens, with the role its groups give if they give any.

    Raises:
        MustJoin: there is an invitation, or a group that gives a role to people unknown here.
        NotLetIn: neither; or the account is closed.
    """
    link = (
        IdentityLink.objects.filter(
            issuer=identity.issuer, subject=identity.subject, ended_at__isnull=True
        )
        .select_related("user")
        .first()
    )
    if link is None:
        newcomer_of(identity)
        raise MustJoin("Open your account first.")
    if link.user.state != AccountState.ACTIVE:
        raise NotLetIn(f"This account can't be opened. {ASK}", "account closed", link.user)
    return _in_step_with_groups(link.user, identity)


def link_of(user: User) -> IdentityLink | None:
    """Return the identity that opens an account now, if one does."""
    found: IdentityLink | None = user.identity_links.filter(ended_at__isnull=True).first()
    return found


def is_of(user: User, identity: Identity) -> bool:
    """Tell whether an identity is the one that opens this account."""
    link = link_of(user)
    return link is not None and (link.issuer, link.subject) == (identity.issuer, identity.subject)


def newcomer_of(identity: Identity) -> Newcomer:
    """Return as whom somebody who isn't connected yet may open an account.

    An address alone opens no account that somebody uses: its owner connects it from within.
    """
    known = User.objects.people().filter(email=identity.email).first() if identity.email else None
    name = settings.OIDC_NAME
    if known is not None and not identity.is_email_verified:
        raise NotLetIn(f"You are not known here. {ASK}", "e-mail not verified", known)
    if known is not None and known.state == AccountState.INVITED:
        return Newcomer(known, known.role or Role.LEARNER)
    if known is not None and known.state == AccountState.ACTIVE:
        raise NotLetIn(
            f"Your account is not connected with {name} yet. Sign in with your password, then "
            f"choose “Single sign-on” in the menu under your name. Without a password: {ASK}",
            "not connected",
            known,
        )
    role = _role_by_group(identity, current_policy().group_roles)
    if known is None and role and current_policy().admits_unknown and identity.is_email_verified:
        return Newcomer(None, role)
    raise NotLetIn(f"You are not known here. {ASK}", "unknown", known)


@transaction.atomic
def join(*, identity: Identity, full_name: str, title: str) -> User:
    """Open the account of somebody who comes from the provider for the first time; works once.

    Raises:
        NotLetIn: the invitation is used up or withdrawn, or the group gives nothing any more.
    """
    newcomer = newcomer_of(identity)
    user = newcomer.user or services.admit(
        email=identity.email, full_name=full_name, role=newcomer.role
    )
    user = services.open_invited(user, full_name, title, statement=SIGNATURE_STATEMENT)
    origin = IdentityLink.Origin.INVITATION if newcomer.user else IdentityLink.Origin.GROUP
    _link(user, user, identity, origin)
    return user


@transaction.atomic
def connect(*, actor: User, identity: Identity) -> IdentityLink:
    """Connect the account of somebody signed in, who confirmed that with what opens it here.

    Raises:
        WrongState: it is connected already, the identity opens another account, or this is an
            emergency account.
    """
    user = User.objects.people().select_for_update().get(pk=actor.pk)
    if user.is_emergency:
        raise WrongState("An emergency account doesn't depend on a provider.")
    if link_of(user) is not None:
        raise WrongState("Your account is connected already.")
    return _link(actor, user, identity, IdentityLink.Origin.OWNER)


@transaction.atomic
def disconnect(*, actor: User, user: User, reason: str) -> User:
    """Close the way in from the provider to one account, with a reason; its sessions end."""
    if not policies.can_manage_users(actor):
        raise NotPermitted("Only those who manage accounts may do this.")
    if not reason.strip():
        raise ReasonMissing("Give a reason; it is kept in the audit trail.")
    user = User.objects.people().select_for_update().get(pk=user.pk)
    link = link_of(user)
    if link is None:
        raise WrongState(f"{user} is not connected with {settings.OIDC_NAME}.")
    link.ended_at = timezone.now()
    link.save(update_fields=["ended_at"])
    user.session_generation += 1
    user.save(update_fields=["session_generation"])
    before = {"issuer": link.issuer, "subject": link.subject}
    audit.record(actor=actor, action="sso.disconnected", target=user, before=before, reason=reason)
    return user


@transaction.atomic
def record_refusal(*, why: str, user: User | None, identity: Identity | None = None) -> None:
    """Record that somebody came from the provider and wasn't let in; nobody proved who."""
    after = {"why": why}
    if identity is not None:
        after |= {"subject": identity.subject, "email": identity.email}
    audit.record(actor=User.system(), action="sso.refused", target=user, after=after)


def _link(actor: User, user: User, identity: Identity, origin: IdentityLink.Origin) -> IdentityLink:
    try:
        with transaction.atomic():
            link = IdentityLink.objects.create(
                user=user,
                issuer=identity.issuer,
                subject=identity.subject,
                email=identity.email,
                origin=origin,
            )
    except IntegrityError as error:
        raise WrongState("Another account here is connected with this one.") from error
    after = {"issuer": link.issuer, "subject": link.subject, "how": link.get_origin_display()}
    audit.record(actor=actor, action="sso.connected", target=user, after=after)
    dispatch.mail_credentials_changed(user.pk, "sso.connected")
    return link


def _in_step_with_groups(user: User, identity: Identity) -> User:
    """Give the role that the groups give. Consultants are outside people: none gives or takes."""
    by_group = current_policy().group_roles
    if not by_group or user.role == Role.CONSULTANT:
        return user
    role = _role_by_group(identity, by_group)
    if role is None:
        words = f"None of your groups at {settings.OIDC_NAME} gives you one role here. {ASK}"
        raise NotLetIn(words, "no role by group", user)
    if role == user.role:
        return user
    try:
        reason = f"By group at {settings.OIDC_NAME}."
        return services.change_role(actor=User.system(), user=user, role=role, reason=reason)
    except LastAdministrator as error:
        raise NotLetIn(f"{error} {ASK}", "last administrator", user) from error


def _role_by_group(identity: Identity, by_group: Mapping[str, str]) -> Role | None:
    """Return the one role that the groups give; groups that give two give none."""
    found = {by_group[group] for group in identity.groups if group in by_group}
    return Role(found.pop()) if len(found) == 1 else None
