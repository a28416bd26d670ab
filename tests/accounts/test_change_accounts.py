"""What administrators do to accounts, and what they can't."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts import services
from accounts.enums import AccountState, Role
from accounts.exceptions import (
    LastAdministrator,
    NotPermitted,
    OwnAccount,
    ReasonMissing,
    WrongState,
)
from accounts.models import AuditEvent, User
from tests.factories import UserFactory

ClientFor = Callable[[User], Client]

_CHANGES: list[tuple[Callable[..., Any], dict[str, str]]] = [
    (services.change_details, {"full_name": "New Name", "title": ""}),
    (services.change_role, {"role": "consultant", "reason": "Moved"}),
    (services.deactivate_user, {"reason": "Left"}),
    (services.reactivate_user, {"reason": "Back"}),
    (services.renew_invitation, {}),
    (services.unlock_user, {}),
    (services.require_new_password, {"reason": "Phished"}),
    (services.issue_password_link, {}),
    (services.remove_second_factor, {"reason": "Lost phone"}),
]
_EXPLAINED = [change for change in _CHANGES if "reason" in change[1]]


@pytest.mark.parametrize(("service", "values"), _CHANGES)
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}))
def test_only_those_who_manage_accounts(
    technician: User, service: Callable[..., Any], values: dict[str, str], role: Role
) -> None:
    with pytest.raises(NotPermitted):
        service(actor=UserFactory.create(role=role), user=technician, **values)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(("service", "values"), _EXPLAINED)
def test_serious_changes_need_a_reason(
    administrator: User, technician: User, service: Callable[..., Any], values: dict[str, str]
) -> None:
    with pytest.raises(ReasonMissing):
        service(actor=administrator, user=technician, **{**values, "reason": "  "})


def test_a_name_is_corrected_and_recorded(administrator: User, technician: User) -> None:
    services.change_details(actor=administrator, user=technician, full_name="Tess T", title="MLS")
    event = AuditEvent.objects.get()
    assert event.before
    assert event.after
    assert (event.before["full_name"], event.after["full_name"]) == ("Tess Technician", "Tess T")


def test_saving_the_same_name_records_nothing(administrator: User, technician: User) -> None:
    services.change_details(
        actor=administrator, user=technician, full_name=technician.full_name, title=""
    )
    assert not AuditEvent.objects.exists()


class TestChangeRole:
    def test_moves_the_permissions(self, administrator: User, technician: User) -> None:
        user = services.change_role(
            actor=administrator, user=technician, role=Role.PATHOLOGIST, reason="Qualified"
        )
        assert user.role == Role.PATHOLOGIST
        assert user.has_perm("accounts.sign_off_case")
        assert not user.has_perm("accounts.submit_case")
        event = AuditEvent.objects.get()
        assert (event.before, event.after, event.reason) == (
            {"role": "technician"},
            {"role": "pathologist"},
            "Qualified",
        )

    def test_refuses_the_role_held_already(self, administrator: User, technician: User) -> None:
        with pytest.raises(WrongState):
            services.change_role(
                actor=administrator, user=technician, role=Role.TECHNICIAN, reason="x"
            )

    def test_refuses_ones_own(self, administrator: User) -> None:
        UserFactory.create(role=Role.ADMINISTRATOR)
        with pytest.raises(OwnAccount):
            services.change_role(
                actor=administrator, user=administrator, role=Role.PATHOLOGIST, reason="x"
            )

    def test_refuses_the_last_administrator(self, administrator: User) -> None:
        with pytest.raises(LastAdministrator):
            services.change_role(
                actor=User.system(), user=administrator, role=Role.LEARNER, reason="x"
            )


class TestDeactivate:
    def test_ends_every_session_and_keeps_the_name(
        self, administrator: User, technician: User, client_for: ClientFor
    ) -> None:
        client = client_for(technician)
        services.deactivate_user(actor=administrator, user=technician, reason="Left")
        assert client.get("/account/password/change/").status_code == 302
        user = User.objects.get(pk=technician.pk)
        assert (user.state, str(user)) == (AccountState.DEACTIVATED, "Tess Technician")

    def test_a_session_from_before_stays_ended_after_reactivation(
        self, administrator: User, technician: User, client_for: ClientFor
    ) -> None:
        client = client_for(technician)
        services.deactivate_user(actor=administrator, user=technician, reason="Left")
        user = services.reactivate_user(actor=administrator, user=technician, reason="Back")
        assert user.state == AccountState.ACTIVE
        assert client.get("/account/password/change/").status_code == 302
        assert client_for(user).get("/account/password/change/").status_code == 200

    def test_refuses_ones_own(self, administrator: User) -> None:
        with pytest.raises(OwnAccount):
            services.deactivate_user(actor=administrator, user=administrator, reason="x")

    def test_refuses_the_last_active_administrator(self, administrator: User) -> None:
        other = UserFactory.create(role=Role.ADMINISTRATOR)
        services.deactivate_user(actor=administrator, user=other, reason="Left")
        with pytest.raises(LastAdministrator):
            services.deactivate_user(actor=User.system(), user=administrator, reason="x")

    def test_refuses_twice(self, administrator: User, technician: User) -> None:
        services.deactivate_user(actor=administrator, user=technician, reason="Left")
        with pytest.raises(WrongState):
            services.deactivate_user(actor=administrator, user=technician, reason="Left")

    def test_refuses_the_system(self, administrator: User) -> None:
        with pytest.raises(User.DoesNotExist):
            services.deactivate_user(actor=administrator, user=User.system(), reason="x")

    def test_whoever_never_joined_is_invited_again(self, administrator: User) -> None:
        invited = UserFactory.create(is_active=False)
        services.deactivate_user(actor=administrator, user=invited, reason="Mistake")
        user = services.reactivate_user(actor=administrator, user=invited, reason="No mistake")
        assert user.state == AccountState.INVITED


def test_a_required_password_stops_everything_else(
    administrator: User, technician: User, client_for: ClientFor
) -> None:
    user = services.require_new_password(actor=administrator, user=technician, reason="Phished")
    client = client_for(user)
    assert client.get("/")["Location"] == "/account/password/change/"
    assert client.get("/", headers={"HX-Request": "true"})["HX-Redirect"] == (
        "/account/password/change/"
    )
    response = client.post(
        "/account/password/change/",
        {
            "oldpassword": "correct horse battery",
            "password1": "unrelated words beside",
            "password2": "unrelated words beside",
        },
    )
    assert response["Location"] == "/"
    assert User.objects.get(pk=user.pk).must_change_password is False
    assert AuditEvent.objects.filter(action="user.password_changed", actor=user).exists()


def test_a_password_link_works_once(administrator: User, technician: User, client: Client) -> None:
    link = services.issue_password_link(actor=administrator, user=technician).link
    path = link.replace("http://127.0.0.1:8000", "")
    form = client.get(path, follow=True).redirect_chain[-1][0]
    passwords = {"password1": "unrelated words beside", "password2": "unrelated words beside"}
    assert client.post(form, passwords)["Location"] == "/account/password/reset/key/done/"
    assert User.objects.get(pk=technician.pk).check_password("unrelated words beside")
    assert AuditEvent.objects.filter(action="user.password_reset", actor=technician).exists()
    assert b"no longer works" in Client().get(path, follow=True).content


def test_a_lost_second_factor_is_removed(administrator: User, technician: User) -> None:
    Authenticator.objects.create(user=technician, type=Authenticator.Type.TOTP, data={})
    services.remove_second_factor(actor=administrator, user=technician, reason="Lost phone")
    assert not Authenticator.objects.exists()
    event = AuditEvent.objects.get(action="user.mfa_removed")
    assert (event.actor, event.before) == (administrator, {"factors": ["totp"]})
    with pytest.raises(WrongState):
        services.remove_second_factor(actor=administrator, user=technician, reason="Again")
