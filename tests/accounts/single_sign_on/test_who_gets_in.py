"""Who gets in, as whom, and who has to be let in first."""

from typing import Any

import pytest
from django.test import Client

from accounts import services
from accounts.enums import AccountState, Role
from accounts.models import AuditEvent, IdentityLink, User
from tests.accounts.single_sign_on.ways import CONNECT, JOIN, is_in, refusals
from tests.browsing import SignIn
from tests.factories import PASSWORD
from tests.identity_provider import IdentityProvider, said


class TestWhoGetsIn:
    def test_an_invited_person_opens_the_account_by_the_verified_address(
        self, provider: IdentityProvider, administrator: User, client: Client
    ) -> None:
        invited = services.invite_user(
            actor=administrator, email="Nia@x.example", full_name="Nia N.", role=Role.TECHNICIAN
        ).user
        provider.knows("nia", "nia@x.example")
        assert provider.sign_in(client, "nia")["Location"] == JOIN
        assert "Nia N." in client.get(JOIN).content.decode()
        refused = client.post(JOIN, {"full_name": "Nia N."})
        assert refused.status_code == 422
        assert not is_in(client)
        client.post(JOIN, {"full_name": "Nia New", "title": "MLS", "agreed": "on"})
        assert is_in(client)
        invited.refresh_from_db()
        assert (invited.state, invited.full_name) == (AccountState.ACTIVE, "Nia New")
        assert not invited.has_usable_password()
        joined = AuditEvent.objects.get(action="user.joined")
        assert "binds me" in (joined.after or {})["statement"]
        assert AuditEvent.objects.filter(action="sso.connected", actor=invited).exists()
        # Another address later is still the same person.
        provider.knows("nia", "nia.married@x.example")
        client.post("/account/logout/")
        provider.sign_in(client, "nia")
        assert is_in(client)

    @pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": None}])
    def test_an_address_that_the_provider_did_not_verify_is_nobodys(
        self,
        provider: IdentityProvider,
        administrator: User,
        client: Client,
        claims: dict[str, Any],
    ) -> None:
        services.invite_user(
            actor=administrator, email="nia@x.example", full_name="Nia", role=Role.TECHNICIAN
        )
        provider.knows("nia", "nia@x.example", **claims)
        assert provider.sign_in(client, "nia")["Location"] == "/account/login/"
        assert refusals() == ["e-mail not verified"]

    def test_the_address_of_somebody_elses_account_opens_it_not(
        self, provider: IdentityProvider, technician: User, client: Client
    ) -> None:
        provider.knows("mallory", technician.email)
        provider.sign_in(client, "mallory")
        assert not is_in(client)
        assert refusals() == ["not connected"]
        assert "not connected" in said(client.get("/account/login/"))

    def test_its_owner_connects_it_after_the_password(
        self, provider: IdentityProvider, technician: User, client_for: SignIn
    ) -> None:
        provider.knows("tess", "private@elsewhere.example")
        desk = client_for(technician)
        assert desk.post(CONNECT)["Location"].startswith("/account/reauthenticate/")
        going = desk.post("/account/reauthenticate/?next=" + CONNECT, {"password": PASSWORD})
        assert provider.come_back(desk, going, "tess")["Location"] == CONNECT
        assert "Connected" in said(desk.get(CONNECT))
        stranger = Client()
        provider.sign_in(stranger, "tess")
        assert stranger.session["_auth_user_id"] == str(technician.pk)

    def test_one_identity_opens_one_account(
        self, provider: IdentityProvider, linked: User, pathologist: User, client_for: SignIn
    ) -> None:
        desk = client_for(pathologist)
        desk.post("/account/reauthenticate/", {"password": PASSWORD})
        provider.come_back(desk, desk.post(CONNECT), "tess")
        assert "Another account here" in said(desk.get(CONNECT))
        assert not IdentityLink.objects.filter(user=pathologist).exists()

    def test_a_stranger_is_told_whom_to_ask(
        self, provider: IdentityProvider, client: Client, db: None
    ) -> None:
        provider.knows("stranger", "stranger@x.example")
        provider.sign_in(client, "stranger")
        assert "You are not known here" in said(client.get("/account/login/"))
        assert refusals() == ["unknown"]
        assert client.get(JOIN)["Location"] == "/account/login/"

    def test_a_closed_account_stays_closed(
        self, provider: IdentityProvider, linked: User, administrator: User, client: Client
    ) -> None:
        services.deactivate_user(actor=administrator, user=linked, reason="Left")
        provider.sign_in(client, "tess")
        assert not is_in(client)
        assert refusals() == ["account closed"]
        assert AuditEvent.objects.get(action="sso.refused").target_id == str(linked.pk)

    def test_an_administrator_disconnects_an_account(
        self,
        provider: IdentityProvider,
        linked: User,
        administrator: User,
        client_for: SignIn,
        client: Client,
    ) -> None:
        provider.sign_in(client, "tess")
        desk = client_for(administrator)
        assert "Disconnect single sign-on" in said(desk.get(linked.get_absolute_url()))
        desk.post(f"{linked.get_absolute_url()}disconnect/", {"reason": "Lost the badge"})
        assert client.get("/").status_code == 302
        provider.sign_in(client, "tess")
        assert not is_in(client)
        assert AuditEvent.objects.get(action="sso.disconnected").reason == "Lost the badge"
