"""Passwords for emergency accounts alone, and what each use of one leaves behind."""

import json
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import emergency, invitations, services
from accounts.emergency import mark, unmark
from accounts.enums import Role
from accounts.exceptions import NotPermitted, ReasonMissing, WrongState
from accounts.models import AuditEvent, IdentityLink, User
from accounts.sign_in_policy import current_policy
from accounts.sign_in_policy_forms import SignInPolicyForm
from notifications.models import Notice
from tests.accounts.factors import add_key, code_of, demand, give_app
from tests.accounts.single_sign_on.ways import is_in
from tests.browsing import SignIn
from tests.factories import PASSWORD, UserFactory
from tests.identity_provider import IdentityProvider, said

PAGE = "/administration/sign-in/"


@pytest.fixture
def safe(provider: IdentityProvider, administrator: User) -> User:
    """An emergency account with a second factor, whose password lies in a safe."""
    account = UserFactory.create(role=Role.ADMINISTRATOR, full_name="Emergency")
    give_app(account)
    return mark(actor=administrator, user=account, reason="For the safe")


@pytest.fixture
def closed(safe: User, administrator: User) -> User:
    """The same, while passwords are closed to everybody else."""
    demand(administrator, only_emergency_local=True)
    return safe


def sign_in(client: Client, user: User) -> Any:
    return client.post("/account/login/", {"login": user.email, "password": PASSWORD})


def open_up(client: Client, user: User) -> None:
    sign_in(client, user)
    client.post("/account/2fa/authenticate/", {"code": code_of("JBSWY3DPEHPK3PXP")})


class TestClosing:
    def test_needs_an_administrator_with_a_factor_to_come_back_by(
        self, provider: IdentityProvider, administrator: User, pathologist: User
    ) -> None:
        with pytest.raises(WrongState, match="First mark"):
            demand(administrator, only_emergency_local=True)
        mark(actor=administrator, user=pathologist, reason="x")
        give_app(pathologist)
        with pytest.raises(WrongState, match="First mark"):
            demand(administrator, only_emergency_local=True)

    def test_needs_a_provider(self, safe: User, administrator: User, settings: Any) -> None:
        settings.OIDC_ISSUER = ""
        with pytest.raises(WrongState, match="No identity provider"):
            demand(administrator, only_emergency_local=True)

    def test_the_right_password_of_others_looks_wrong(
        self, closed: User, technician: User, client: Client
    ) -> None:
        answer, unknown = sign_in(client, technician), User(email="no@x.example")
        assert not is_in(client)
        assert answer.context["form"].errors == sign_in(Client(), unknown).context["form"].errors
        assert AuditEvent.objects.filter(action="session.sign_in_failed").count() == 2

    def test_a_passkey_of_others_opens_nothing(
        self, safe: User, technician: User, administrator: User, client_for: SignIn
    ) -> None:
        key = add_key(client_for(technician), is_passkey=True)
        demand(administrator, only_emergency_local=True)
        client = Client()
        by_script = {"X-Requested-With": "XMLHttpRequest"}
        answer = client.get("/account/2fa/keys/sign-in/", headers=by_script)
        asked = json.loads(answer.content)["request_options"]
        client.post("/account/2fa/keys/sign-in/", {"credential": key.get(asked)})
        assert not is_in(client)
        assert "this way is closed" in said(client.get("/account/login/"))

    def test_no_password_is_set_or_sent_any_more(
        self,
        closed: User,
        technician: User,
        administrator: User,
        client: Client,
        settings: Any,
    ) -> None:
        settings.MAIL_IS_CONFIGURED = True
        client.post("/account/password/reset/", {"email": technician.email})
        assert not mail.outbox
        client.post("/account/password/reset/", {"email": closed.email})
        assert len(mail.outbox) == 1
        with pytest.raises(WrongState, match="passwords are closed"):
            services.issue_password_link(actor=administrator, user=technician)
        invited = services.invite_user(
            actor=administrator, email="nia@x.example", full_name="Nia", role=Role.TECHNICIAN
        )
        page = said(client.get(invitations.make_invitation_link(invited.user)))
        assert "Join with" in page
        assert 'name="password"' not in page
        with pytest.raises(WrongState):
            services.accept_invitation(
                token=invited.link.split("/")[-2], full_name="N", title="", password=PASSWORD
            )

    def test_the_door_says_so(self, closed: User, client: Client) -> None:
        page = said(client.get("/account/login/"))
        assert "Emergency accounts" in page
        assert "Forgot your password?" not in page
        assert "passwords are closed" in said(client.get("/account/password/reset/"))

    def test_others_come_in_at_the_provider(
        self, closed: User, provider: IdentityProvider, technician: User, client: Client
    ) -> None:
        IdentityLink.objects.create(
            user=technician, issuer=provider.url, subject="tess", origin="owner"
        )
        provider.sign_in(client, "tess")
        assert client.get("/").status_code == 200

    def test_the_last_emergency_account_stays_as_it_is(
        self, closed: User, administrator: User, client: Client
    ) -> None:
        wanted: dict[str, Any] = {"actor": administrator, "user": closed, "reason": "x"}
        for change in (unmark, services.deactivate_user, services.remove_second_factor):
            with pytest.raises(WrongState, match="last emergency account"):
                change(**wanted)
        with pytest.raises(WrongState, match="last emergency account"):
            services.change_role(**wanted, role=Role.PATHOLOGIST)
        open_up(client, closed)
        client.post("/administration/emergency/", {"reason": "Provider down"})
        client.post("/account/reauthenticate/", {"password": PASSWORD})
        client.post("/account/2fa/totp/deactivate/")
        assert emergency.could_open().exists()
        other = UserFactory.create(role=Role.ADMINISTRATOR)
        give_app(other)
        mark(actor=administrator, user=other, reason="A second safe")
        unmark(**wanted)


class TestUsing:
    def test_each_use_is_an_alarm_and_wants_a_reason_first(
        self, closed: User, administrator: User, client: Client
    ) -> None:
        open_up(client, closed)
        assert AuditEvent.objects.get(action="emergency.used").actor == closed
        assert Notice.objects.filter(recipient=administrator, kind="emergency.used").count() == 1
        assert client.get("/administration/users/")["Location"] == "/administration/emergency/"
        assert client.post("/administration/emergency/", {"reason": " "}).status_code == 422
        client.post("/administration/emergency/", {"reason": "The provider is down"})
        assert client.get("/administration/users/").status_code == 200
        event = AuditEvent.objects.get(action="emergency.explained")
        assert (event.actor, event.reason) == (closed, "The provider is down")

    def test_the_next_session_asks_again(self, closed: User, client: Client) -> None:
        for _ in range(2):
            client = Client()
            client.force_login(closed)
            assert client.get("/")["Location"] == "/administration/emergency/"
            client.post("/administration/emergency/", {"reason": "Provider down"})
        assert AuditEvent.objects.filter(action="emergency.used").count() == 2

    def test_the_provider_opens_none(
        self, safe: User, provider: IdentityProvider, client_for: SignIn
    ) -> None:
        desk = client_for(safe)
        desk.post("/administration/emergency/", {"reason": "x"})
        desk.post("/account/reauthenticate/", {"password": PASSWORD})
        provider.knows("eve", safe.email)
        provider.come_back(desk, desk.post("/account/single-sign-on/"), "eve")
        assert not IdentityLink.objects.exists()


class TestMarking:
    def test_needs_the_duty_a_reason_and_an_account_of_its_own(
        self, provider: IdentityProvider, administrator: User, technician: User
    ) -> None:
        with pytest.raises(NotPermitted):
            mark(actor=technician, user=technician, reason="x")
        with pytest.raises(ReasonMissing):
            mark(actor=administrator, user=technician, reason=" ")
        IdentityLink.objects.create(
            user=technician, issuer=provider.url, subject="tess", origin="owner"
        )
        with pytest.raises(WrongState, match="disconnect the account first"):
            mark(actor=administrator, user=technician, reason="x")

    def test_the_pages_mark_show_and_unmark(
        self, provider: IdentityProvider, administrator: User, client_for: SignIn
    ) -> None:
        account = UserFactory.create(role=Role.ADMINISTRATOR, full_name="Emma Emergency")
        desk = client_for(administrator)
        desk.post(f"{account.get_absolute_url()}emergency/", {"reason": "For the safe"})
        assert "Emma Emergency" in said(desk.get(PAGE)).split("Emergency accounts")[1]
        assert "No emergency account any more" in said(desk.get(account.get_absolute_url()))
        desk.post(f"{account.get_absolute_url()}no-emergency/", {"reason": "Done"})
        account.refresh_from_db()
        assert not account.is_emergency


class TestRulesPage:
    FORM: dict[str, Any] = {"minimum_length": 12, "remembered_passwords": 0, "reason": "Decided"}

    def test_sets_the_rules_of_the_provider(
        self, provider: IdentityProvider, administrator: User, client_for: SignIn
    ) -> None:
        desk = client_for(administrator)
        roles = "cn=haem, ou=lab = Technician\nhaem-md=pathologist"
        form = self.FORM | {"provider_factors": "mfa, otp,", "group_roles": roles}
        assert desk.post(PAGE, form).status_code == 302
        again = SignInPolicyForm.showing(current_policy())
        assert again.initial["provider_factors"] == "mfa, otp"
        assert "cn=haem, ou=lab = technician" in again.initial["group_roles"]
        assert "haem-md: pathologist" in said(desk.get(PAGE))

    @pytest.mark.parametrize("line", ["haem", "= technician", "haem = consultant", "haem = king"])
    def test_says_which_line_it_does_not_understand(
        self, provider: IdentityProvider, administrator: User, client_for: SignIn, line: str
    ) -> None:
        answer = client_for(administrator).post(PAGE, self.FORM | {"group_roles": line})
        assert answer.status_code == 422
        assert f"“{line}”" in said(answer)

    def test_without_a_provider_keeps_what_was_set(
        self,
        provider: IdentityProvider,
        administrator: User,
        client_for: SignIn,
        settings: Any,
    ) -> None:
        demand(administrator, provider_factors=("otp",))
        settings.OIDC_ISSUER = ""
        desk = client_for(administrator)
        assert "Roles by group" not in said(desk.get(PAGE))
        assert desk.post(PAGE, self.FORM | {"minimum_length": 15}).status_code == 302
        assert (current_policy().minimum_length, current_policy().provider_factors) == (15, ["otp"])
