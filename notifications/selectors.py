"""What stands in the list of notices, and who wants which kind how."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.enums import Role
from accounts.roles import ROLE_DUTIES
from notifications.enums import MailState
from notifications.kinds import NoticeKind, kinds_for
from notifications.models import Notice, OwnWish, RoleWish

if TYPE_CHECKING:
    from accounts.models import User
    from notifications.querysets import NoticeQuerySet


@dataclass(frozen=True, slots=True)
class Ways:
    """How somebody is told of a kind."""

    in_app: bool
    by_mail: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind as a form offers it; ``is_own`` tells that the person differs from the role."""

    kind: NoticeKind
    ways: Ways
    is_own: bool = False


def list_notices(user: "User", *, only_unread: bool) -> "NoticeQuerySet":
    """Return the user's notices, the newest first, with what they are about."""
    found = Notice.objects.of(user).select_related("event")
    return found.unread() if only_unread else found


def count_unread(user: "User") -> int:
    """Return how many notices the user hasn't read."""
    return Notice.objects.of(user).unread().count()


def count_failed_mails() -> int:
    """Return how many mails were given up."""
    return Notice.objects.filter(mail_state=MailState.FAILED).count()


def ways_for(kind: NoticeKind, users: "Collection[User]") -> "dict[User, Ways]":
    """Return how each user is told of a kind: as chosen, else as the role, else as built."""
    own = {
        wish.user_id: _ways(kind, wish)
        for wish in OwnWish.objects.filter(kind=kind.name, user__in=users)
    }
    roles = {
        wish.role.name: _ways(kind, wish)
        for wish in RoleWish.objects.filter(kind=kind.name).select_related("role")
    }
    built = Ways(kind.in_app, kind.by_mail)
    return {user: own.get(user.pk) or roles.get(user.role or "", built) for user in users}


def list_own_choices(user: "User") -> list[Choice]:
    """Return the kinds that concern a user, with the ways chosen or taken over."""
    own = {wish.kind: wish for wish in OwnWish.objects.filter(user=user)}
    of_role = _role_wishes(user.role)
    kinds = kinds_for(lambda duty: user.has_perm(f"accounts.{duty}"))
    return [
        Choice(kind, _first(kind, own.get(kind.name), of_role.get(kind.name)), kind.name in own)
        for kind in kinds
    ]


def list_role_choices(role: Role) -> list[Choice]:
    """Return the kinds that concern a role, with the ways that hold for it."""
    wishes = _role_wishes(role)
    kinds = kinds_for(ROLE_DUTIES[role].__contains__)
    return [Choice(kind, _first(kind, wishes.get(kind.name))) for kind in kinds]


def _role_wishes(role: Role | None) -> Mapping[str, RoleWish]:
    return {wish.kind: wish for wish in RoleWish.objects.filter(role__name=role or "")}


def _first(kind: NoticeKind, *wishes: OwnWish | RoleWish | None) -> Ways:
    for wish in wishes:
        if wish is not None:
            return _ways(kind, wish)
    return Ways(kind.in_app, kind.by_mail)


def _ways(kind: NoticeKind, wish: OwnWish | RoleWish) -> Ways:
    return Ways(wish.in_app or kind.is_urgent, wish.by_mail)
