"""The laboratory's rules of signing in: set with a reason, and held from the next page on."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client

from accounts import services, tasks
from accounts.enums import Role
from accounts.exceptions import NotPermitted, ReasonMissing, WrongState
from accounts.models import AuditEvent, SignInPolicy, User
from accounts.sign_in_policy import current_policy
from accounts.sign_in_policy_services import Rules, set_sign_in_policy
from tests.accounts.factors import add_key, code_of, demand, give_app
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.usefixtures("empty_cache")

ClientFor = Callable[[User], Client]
PAGE = "/administration/sign-in/"
FACTORS = "/account/2fa/"


class TestSetting:
    def test_a_version_says_who_set_it_when_and_why(self, administrator: User) -> None:
        policy = demand(administrator, second_factor_roles=(Role.PATHOLOGIST,))
        assert (policy.version, policy.set_by, policy.reason) == (1, administrator, "Decided")
        assert current_policy() == policy
        event = AuditEvent.objects.get(action="sign_in_policy.set")
        assert event.reason == "Decided"
        assert (event.before or {})["second_factor_roles"] == []
        assert (event.after or {})["second_factor_roles"] == ["pathologist"]

    def test_needs_the_duty_a_reason_and_a_change(
        self, administrator: User, pathologist: User
    ) -> None:
        with pytest.raises(NotPermitted):
            demand(pathologist)
        with pytest.raises(ReasonMissing):
            set_sign_in_policy(actor=administrator, rules=Rules(), reason=" ")
        demand(administrator)
        with pytest.raises(WrongState):
            demand(administrator)

    def test_versions_stay_as_they_were(self, administrator: User) -> None:
        policy = demand(administrator)
        with pytest.raises(DatabaseError), transaction.atomic():
            SignInPolicy.objects.filter(pk=policy.pk).update(minimum_length=8)
        with pytest.raises(DatabaseError), transaction.atomic():
            policy.delete()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"minimum_length": 7},
            {"remembered_passwords": 25},
            {"second_factor_roles": ["janitor"]},
        ],
    )
    def test_the_database_refuses_senseless_rules(
        self, administrator: User, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            SignInPolicy.objects.create(version=1, reason="x", set_by=administrator, **wrong)

    def test_the_page_sets_and_shows_them(self, administrator: User, client_for: ClientFor) -> None:
        UserFactory.create(role=Role.TECHNICIAN, full_name="Wanda Waiting")
        client = client_for(administrator)
        form = {"minimum_length": 15, "remembered_passwords": 3, "reason": "After the audit"}
        assert client.post(PAGE, form | {"minimum_length": 3}).status_code == 422
        response = client.post(PAGE, form | {"second_factor_roles": ["technician"]}, follow=True)
        page = response.content.decode()
        assert "Version 1, set by Ada Administrator" in page
        assert "After the audit" in page
        assert "Wanda Waiting" in page


class TestBeingHeldUp:
    @pytest.fixture
    def desk(self, pathologist: User, client_for: ClientFor) -> Client:
        return client_for(pathologist)

    def test_who_must_have_a_factor_sets_one_up_and_does_nothing_else(
        self, desk: Client, administrator: User, pathologist: User
    ) -> None:
        assert desk.get("/").status_code == 200
        demand(administrator, second_factor_roles=(Role.PATHOLOGIST,))
        assert desk.get("/")["Location"] == FACTORS
        assert desk.get("/", headers={"Accept": "application/json"}).status_code == 401
        assert desk.get("/", headers={"HX-Request": "true"})["HX-Redirect"] == FACTORS
        assert "Set one up to go on" in desk.get(FACTORS).content.decode()
        add_key(desk)
        assert desk.get("/").status_code == 200

    def test_the_next_sign_in_notices_it_too(self, administrator: User, client: Client) -> None:
        demand(administrator, second_factor_roles=(Role.LEARNER,))
        newcomer = UserFactory.create(role=Role.LEARNER)
        client.post("/account/login/", {"login": newcomer.email, "password": PASSWORD})
        assert client.get("/")["Location"] == FACTORS

    def test_until_rules_are_set_administrators_must_where_the_site_is_served_over_https(
        self, settings: Any, administrator: User, technician: User
    ) -> None:
        settings.FIRST_SECOND_FACTOR_ROLES = ["administrator"]
        ada, tess = Client(), Client()
        for client, user in ((ada, administrator), (tess, technician)):
            client.post("/account/login/", {"login": user.email, "password": PASSWORD})
        assert ada.get("/")["Location"] == FACTORS
        assert tess.get("/").status_code == 200
        add_key(ada)
        assert ada.get("/").status_code == 200
        assert [str(one) for one in current_policy().role_labels] == ["Administrator"]
        demand(administrator)
        assert current_policy().role_labels == []

    def test_others_go_on_working(
        self, administrator: User, technician: User, client_for: ClientFor
    ) -> None:
        demand(administrator, second_factor_roles=(Role.PATHOLOGIST,))
        assert client_for(technician).get("/").status_code == 200

    def test_a_change_of_role_or_of_rules_is_followed(
        self, administrator: User, technician: User
    ) -> None:
        demand(administrator, second_factor_roles=(Role.PATHOLOGIST,))
        services.change_role(
            actor=administrator, user=technician, role=Role.PATHOLOGIST, reason="Exam"
        )
        technician.refresh_from_db()
        assert technician.must_set_up_factor
        demand(administrator)
        technician.refresh_from_db()
        assert not technician.must_set_up_factor

    def test_recovery_codes_alone_are_no_second_factor(
        self, desk: Client, administrator: User, pathologist: User
    ) -> None:
        Authenticator.objects.create(user=pathologist, type="recovery_codes", data={})
        demand(administrator, second_factor_roles=(Role.PATHOLOGIST,))
        assert desk.get("/")["Location"] == FACTORS

    def test_removing_the_last_one_holds_up_again(
        self, desk: Client, administrator: User, pathologist: User
    ) -> None:
        add_key(desk)
        demand(administrator, second_factor_roles=(Role.PATHOLOGIST,))
        assert desk.get("/").status_code == 200
        key = Authenticator.objects.get(type="webauthn")
        desk.post(f"{FACTORS}keys/{key.pk}/remove/")
        assert desk.get("/")["Location"] == FACTORS


class TestLosingIt:
    def test_an_administrator_takes_it_and_all_sessions_end(
        self,
        administrator: User,
        pathologist: User,
        client_for: ClientFor,
        mailoutbox: list[Any],
    ) -> None:
        desk = client_for(pathologist)
        add_key(desk)
        demand(administrator, second_factor_roles=(Role.PATHOLOGIST,))
        services.remove_second_factor(actor=administrator, user=pathologist, reason="Lost the key")
        assert desk.get("/")["Location"].startswith("/account/login/")
        event = AuditEvent.objects.get(action="user.mfa_removed")
        assert (event.actor, event.reason) == (administrator, "Lost the key")
        assert client_for(User.objects.get(pk=pathologist.pk)).get("/")["Location"] == FACTORS
        tasks.mail_factor_removed(pathologist.pk)
        assert mailoutbox[0].to == [pathologist.email]


class TestConfirmingIdentity:
    def test_the_password_is_not_enough_where_signing_needs_a_factor(
        self, administrator: User, pathologist: User, client_for: ClientFor
    ) -> None:
        secret = give_app(pathologist)
        client = client_for(pathologist)
        demand(administrator, signing_needs_second_factor=True)
        again = "/account/2fa/reauthenticate/"
        assert client.get("/account/reauthenticate/")["Location"].startswith(again)
        client.post("/account/reauthenticate/", {"password": PASSWORD})
        assert client.get(f"{FACTORS}totp/deactivate/").status_code == 302
        assert client.post(again, {"code": "000000"}).status_code == 200
        failure = AuditEvent.objects.get(action="user.reauthentication_failed")
        assert (failure.actor, (failure.after or {})["factor"]) == (pathologist, "totp")
        client.post(again, {"code": code_of(secret)})
        assert client.get(f"{FACTORS}totp/deactivate/").status_code == 200
