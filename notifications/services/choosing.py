"""Choosing which notices come how: for oneself, or for a role."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.db import transaction

from accounts.audit import record
from accounts.enums import Role
from notifications import policies
from notifications.exceptions import NotPermitted
from notifications.kinds import NoticeKind
from notifications.models import OwnWish, RoleWish
from notifications.selectors import Choice, Ways, list_own_choices, list_role_choices

if TYPE_CHECKING:
    from accounts.models import User

Wanted = Mapping[str, Ways]


@transaction.atomic
def choose_own(*, user: "User", wanted: Wanted) -> None:
    """Keep what the user wants of the kinds that concern them; the same again changes nothing."""
    choices = list_own_choices(user)
    changed = _changed(choices, wanted)
    for kind in changed:
        OwnWish.objects.update_or_create(
            user=user, kind=kind.name, defaults=asdict(_allowed(kind, wanted[kind.name]))
        )
    if changed:
        _record("notices.own_choices_changed", user, user, choices, list_own_choices(user))


@transaction.atomic
def forget_own(*, user: "User") -> None:
    """Go back to what holds for the user's role."""
    choices = list_own_choices(user)
    if OwnWish.objects.filter(user=user).delete()[0]:
        _record("notices.own_choices_changed", user, user, choices, list_own_choices(user))


@transaction.atomic
def choose_for_role(*, role: Role, actor: "User", wanted: Wanted) -> None:
    """Keep what holds for a role; the same again changes nothing.

    Raises:
        NotPermitted: the actor doesn't manage the laboratory.
    """
    if not policies.can_choose_for_roles(actor):
        raise NotPermitted("You may not choose notices for a role.")
    group = Group.objects.get(name=role)
    choices = list_role_choices(role)
    changed = _changed(choices, wanted)
    for kind in changed:
        RoleWish.objects.update_or_create(
            role=group, kind=kind.name, defaults=asdict(_allowed(kind, wanted[kind.name]))
        )
    if changed:
        _record("notices.role_choices_changed", actor, None, choices, list_role_choices(role), role)


def _changed(choices: list[Choice], wanted: Wanted) -> list[NoticeKind]:
    return [
        choice.kind
        for choice in choices
        if choice.kind.name in wanted
        and _allowed(choice.kind, wanted[choice.kind.name]) != choice.ways
    ]


def _allowed(kind: NoticeKind, ways: Ways) -> Ways:
    return Ways(ways.in_app or kind.is_urgent, ways.by_mail)


def _record(
    action: str,
    actor: "User",
    target: "User | None",
    before: list[Choice],
    after: list[Choice],
    role: Role | None = None,
) -> None:
    old = {choice.kind.name: asdict(choice.ways) for choice in before}
    new = {choice.kind.name: asdict(choice.ways) for choice in after}
    differing = sorted(name for name in new if new[name] != old[name])
    of_role = {"role": role} if role else {}
    record(
        actor=actor,
        action=action,
        target=target,
        before={**of_role, **{name: old[name] for name in differing}},
        after={**of_role, **{name: new[name] for name in differing}},
    )
