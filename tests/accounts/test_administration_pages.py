"""Administrators at work on the pages of accounts."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.enums import AccountState, Role
from accounts.models import AuditEvent, User
from tests.factories import UserFactory

USERS = "/administration/users/"


@pytest.fixture
def desk(client_for: Callable[[User], Client], administrator: User) -> Client:
    return client_for(administrator)


def test_lists_people_but_not_the_system(desk: Client, technician: User) -> None:
    page = desk.get(USERS).content.decode()
    assert "Tess Technician" in page
    assert "system@hematovision" not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=tess", {"Tess Technician"}),
        ("search=LABORATORY.EXAMPLE&role=pathologist", {"Paul Pathologist, MD"}),
        ("state=deactivated", {"Dora Done"}),
        ("state=invited", {"Ivo Invited"}),
        ("role=administrator", {"Ada Administrator"}),
    ],
)
@pytest.mark.usefixtures("technician", "pathologist")
def test_filters(desk: Client, query: str, expected: set[str]) -> None:
    from django.utils import timezone

    UserFactory.create(full_name="Dora Done", is_active=False, deactivated_at=timezone.now())
    UserFactory.create(full_name="Ivo Invited", is_active=False)
    table = desk.get(f"{USERS}?{query}").context["table"]
    assert {row.record.name_with_title for row in table.rows} == expected


@pytest.mark.parametrize("order", ["full_name", "-email", "role", "state", "-last_login"])
def test_sorts(desk: Client, technician: User, order: str) -> None:
    assert desk.get(f"{USERS}?sort={order}").status_code == 200


def test_the_number_of_queries_does_not_grow(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        UserFactory.create()
    desk.get(USERS)
    with django_assert_max_num_queries(12):
        desk.get(USERS)


def test_invites_and_shows_the_link_once(desk: Client) -> None:
    form = {"email": "n@lab.example", "full_name": "Nora New", "title": "", "role": "technician"}
    response = desk.post(f"{USERS}invite/", form, follow=True)
    assert "/administration/join/" in response.content.decode()
    detail = response.redirect_chain[-1][0]
    assert "/administration/join/" not in desk.get(detail).content.decode()


def test_says_why_an_invitation_is_refused(desk: Client, technician: User) -> None:
    form = {"email": technician.email, "full_name": "T", "title": "", "role": "technician"}
    page = desk.post(f"{USERS}invite/", form).content.decode()
    assert "already has an account, which is Active" in page


@pytest.mark.parametrize(
    ("action", "form", "recorded"),
    [
        ("details", {"full_name": "Tess T", "title": "MLS"}, "user.changed"),
        ("role", {"role": "consultant", "reason": "Moved"}, "user.role_changed"),
        ("password-link", {}, "user.password_link_issued"),
        ("new-password", {"reason": "Phished"}, "user.password_required"),
        ("deactivate", {"reason": "Left"}, "user.deactivated"),
    ],
)
def test_does_what_it_is_asked(
    desk: Client,
    administrator: User,
    technician: User,
    action: str,
    form: dict[str, str],
    recorded: str,
) -> None:
    response = desk.post(f"{USERS}{technician.pk}/{action}/", form)
    assert response["Location"] == technician.get_absolute_url()
    event = AuditEvent.objects.get(action=recorded)
    assert (event.actor, event.target_id) == (administrator, str(technician.pk))
    assert event.client_address == "127.0.0.1"


@pytest.mark.parametrize("action", ["role", "deactivate", "new-password"])
def test_asks_for_the_reason(desk: Client, technician: User, action: str) -> None:
    form = {"role": "consultant", "reason": ""}
    page = desk.post(f"{USERS}{technician.pk}/{action}/", form).content.decode()
    assert "This field is required" in page
    assert User.objects.get(pk=technician.pk).state == AccountState.ACTIVE


def test_says_why_an_action_is_refused(desk: Client, administrator: User) -> None:
    path = f"{USERS}{administrator.pk}/deactivate/"
    assert "your own account" in desk.post(path, {"reason": "x"}).content.decode()


def test_offers_what_makes_sense(desk: Client, administrator: User, technician: User) -> None:
    def offered(user: User) -> set[str]:
        return {slug for slug, _ in desk.get(user.get_absolute_url()).context["actions"]}

    usual = {"details", "role", "password-link", "new-password", "log-off", "deactivate"}
    assert offered(technician) == usual
    assert offered(administrator) == usual - {"role", "deactivate"}
    assert offered(UserFactory.create(is_active=False)) == {
        "details",
        "role",
        "renew",
        "deactivate",
    }


def test_unknown_accounts_and_actions_are_not_found(desk: Client, technician: User) -> None:
    assert desk.get(f"{USERS}999999/").status_code == 404
    assert desk.get(f"{USERS}{User.system().pk}/").status_code == 404
    assert desk.get(f"{USERS}{technician.pk}/promote/").status_code == 404


def test_shows_the_history_of_an_account(desk: Client, technician: User) -> None:
    desk.post(f"{USERS}{technician.pk}/role/", {"role": Role.CONSULTANT, "reason": "Moved on"})
    page = desk.get(technician.get_absolute_url()).content.decode()
    assert "Role changed" in page
    assert "Moved on" in page
    assert "<del>technician</del>" in page
