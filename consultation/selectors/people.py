"""Who can be asked for an opinion, and who can be mentioned."""

from typing import TYPE_CHECKING

from accounts.enums import Role
from accounts.models import User

if TYPE_CHECKING:
    from accounts.querysets import UserQuerySet


def list_consultants(asker: User) -> "UserQuerySet":
    """Return those who give opinions, but for the asker: pathologists and outside consultants.

    Those who were invited and haven't joined yet are among them: the case waits for them.
    """
    people: UserQuerySet = User.objects.all()
    found = people.to_be_holding("give_opinion").exclude(pk=asker.pk)
    return found.order_by("full_name", "email")


def list_members(author: User) -> "UserQuerySet":
    """Return those who may see every case of the laboratory, but for the author."""
    return _holding("view_patient").exclude(pk=author.pk)


def consultant_choices(asker: User) -> list[tuple[str, list[tuple[int, str]]]]:
    """Return whom to ask, by kind, as a form offers them."""
    kinds: dict[str, list[tuple[int, str]]] = {"Colleagues": [], "Outside consultants": []}
    for person in list_consultants(asker):
        kind = "Outside consultants" if person.role == Role.CONSULTANT else "Colleagues"
        waits = "" if person.is_active else " (invited, has not joined)"
        kinds[kind].append((person.pk, f"{person.name_with_title}{waits}"))
    return [(kind, people) for kind, people in kinds.items() if people]


def member_choices(author: User) -> list[tuple[int, str]]:
    """Return whom to mention, as a form offers them."""
    return [(person.pk, person.full_name) for person in list_members(author)]


def _holding(duty: str) -> "UserQuerySet":
    people: UserQuerySet = User.objects.all()
    return people.holding(duty).order_by("full_name", "email")
