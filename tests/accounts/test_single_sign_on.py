"""Signing in at a real identity provider: who gets in, as whom, and what is refused."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import services
from accounts.enums import AccountState, Role
from accounts.models import AuditEvent, IdentityLink, User
from accounts.open_sessions import end_sessions
from accounts.single_sign_on import provider as protocol
from tests.accounts.factors import code_of, demand, give_app
from tests.browsing import SignIn
from tests.factories import PASSWORD
from tests.identity_provider import NAME, IdentityProvider, arrive, said

START = "/account/single-sign-on/start/"
JOIN = "/account/single-sign-on/join/"
CONNECT = "/account/single-sign-on/"


@pytest.fixture
def linked(provider: IdentityProvider, technician: User) -> User:
    """A technician whose account is connected with the identity "tess"."""
    link(technician, provider, "tess")
    provider.knows("tess", technician.email)
    return technician


def link(user: User, provider: IdentityProvider, subject: str) -> IdentityLink:
    return IdentityLink.objects.create(
        user=user, issuer=provider.url, subject=subject, email=user.email, origin="owner"
    )


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def refusals() -> list[Any]:
    events = AuditEvent.objects.filter(action="sso.refused").order_by("at")
    return [(event.after or {})["why"] for event in events]


class TestTheWayIn:
    def test_a_connected_person_comes_in_and_lands_where_they_wanted(
        self, provider: IdentityProvider, linked: User, client: Client
    ) -> None:
        page = said(client.get("/account/login/"))
        assert f"Sign in with {NAME}" in page
        response = provider.sign_in(client, "tess", "/administration/users/")
        assert response["Location"] == "/administration/users/"
        assert client.session["_auth_user_id"] == str(linked.pk)
        event = AuditEvent.objects.get(action="session.signed_in")
        assert event.after == {"by": "single sign-on", "second_factor_there": False}

    def test_state_nonce_and_pkce_go_along_and_differ_each_time(
        self, provider: IdentityProvider, client: Client
    ) -> None:
        asked = [parse_qs(urlsplit(client.post(START).context["address"]).query) for _ in range(2)]
        assert asked[0]["code_challenge_method"] == ["S256"]
        for name in ("state", "nonce", "code_challenge"):
            assert asked[0][name] != asked[1][name]
        assert "prompt" not in asked[0]

    def test_it_leads_to_no_other_site(
        self, provider: IdentityProvider, linked: User, client: Client
    ) -> None:
        response = provider.sign_in(client, "tess", "https://evil.example/")
        assert response["Location"] == "/"

    def test_a_form_leads_there_by_a_page_of_our_own(
        self, provider: IdentityProvider, client: Client
    ) -> None:
        page = client.post(START)
        assert page.status_code == 200
        assert 'http-equiv="refresh"' in page.content.decode()

    def test_without_a_provider_there_is_no_such_way(self, client: Client, db: None) -> None:
        assert client.post(START).status_code == 404
        assert "Sign in with" not in said(client.get("/account/login/"))

    def test_signing_out_leads_past_the_providers_own_page(
        self, provider: IdentityProvider, linked: User, client: Client
    ) -> None:
        provider.sign_in(client, "tess")
        response = client.post("/account/logout/", follow=True)
        address = urlsplit(response.context["address"])
        assert address.path == "/oauth2/end_session"
        assert parse_qs(address.query)["post_logout_redirect_uri"][0].endswith("/account/login/")
        assert not is_in(client)

    def test_who_came_by_password_leaves_as_before(
        self, provider: IdentityProvider, technician: User, client_for: SignIn
    ) -> None:
        response = client_for(technician).post("/account/logout/")
        assert response["Location"] == "/account/login/"


class TestForgeries:
    @pytest.mark.parametrize(
        "claims",
        [
            {"nonce": "another"},
            {"iss": "https://evil.example"},
            {"aud": "another application"},
            {"aud": ["hematovision", "another"]},
            {"azp": "another application"},
            {"exp": int(time.time()) - 60},
            {"iat": int(time.time()) + 10**8},
        ],
        ids="-".join,
    )
    def test_a_token_that_is_not_for_this_attempt_opens_nothing(
        self, provider: IdentityProvider, linked: User, client: Client, claims: dict[str, Any]
    ) -> None:
        provider.knows("tess", linked.email, **claims)
        response = provider.sign_in(client, "tess")
        assert response["Location"] == "/account/login/"
        assert not is_in(client)
        assert refusals()[0].startswith("token: ")

    def test_a_state_of_another_browser_opens_nothing(
        self, provider: IdentityProvider, linked: User, client: Client
    ) -> None:
        going = Client().post(START)
        assert not is_in(client)
        assert provider.come_back(client, going, "tess").status_code == 302
        assert not is_in(client)
        assert refusals() == ["unknown or used attempt"]

    def test_a_way_back_works_once(
        self, provider: IdentityProvider, linked: User, client: Client
    ) -> None:
        back = provider.authorize(client.post(START).context["address"], "tess")
        arrive(client, back)
        assert is_in(client)
        client.post("/account/logout/")
        arrive(client, back)
        assert not is_in(client)

    def test_a_code_that_was_used_opens_nothing_in_another_attempt(
        self, provider: IdentityProvider, linked: User, client: Client
    ) -> None:
        first = provider.authorize(client.post(START).context["address"], "tess")
        arrive(client, first)
        client.post("/account/logout/")
        state = parse_qs(urlsplit(client.post(START).context["address"]).query)["state"][0]
        code = parse_qs(urlsplit(first).query)["code"][0]
        client.get(f"/account/single-sign-on/back/?code={code}&state={state}")
        assert not is_in(client)
        assert refusals()[-1].startswith("no token")

    def test_a_token_of_no_key_that_the_provider_shows_opens_nothing(
        self, provider: IdentityProvider, linked: User, client: Client, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(protocol, "ALGORITHMS", ("ES256",))
        provider.sign_in(client, "tess")
        assert not is_in(client)

    def test_turning_back_at_the_provider_signs_nobody_in(
        self, provider: IdentityProvider, client: Client, db: None
    ) -> None:
        arrive(client, provider.deny(client.post(START).context["address"]))
        assert refusals() == ["the provider says access_denied"]


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


class TestProviderAway:
    def test_the_local_way_stays(
        self, provider: IdentityProvider, technician: User, client: Client, settings: Any
    ) -> None:
        settings.OIDC_ISSUER = "http://127.0.0.1:9"
        assert client.post(START)["Location"] == "/account/login/"
        assert "can't be reached" in said(client.get("/account/login/"))
        form = {"login": technician.email, "password": PASSWORD}
        client.post("/account/login/", form)
        assert is_in(client)

    def test_it_has_to_speak_tls_beyond_this_machine(
        self, provider: IdentityProvider, client: Client, settings: Any, db: None
    ) -> None:
        settings.OIDC_ISSUER = "http://login.hospital.example"
        with pytest.raises(protocol.ProviderUnreachable, match="HTTPS"):
            protocol.require_safe(settings.OIDC_ISSUER)
        assert client.post(START)["Location"] == "/account/login/"

    def test_it_has_to_call_itself_what_we_call_it(
        self, provider: IdentityProvider, client: Client, settings: Any, db: None
    ) -> None:
        settings.OIDC_ISSUER = provider.url + "/"
        assert client.post(START)["Location"] == "/account/login/"

    def test_it_may_go_away_in_between(
        self, provider: IdentityProvider, linked: User, client: Client, settings: Any
    ) -> None:
        back = provider.authorize(client.post(START).context["address"], "tess")
        cache.clear()
        settings.OIDC_ISSUER = "http://127.0.0.1:9"
        assert arrive(client, back)["Location"] == "/account/login/"
        assert not is_in(client)


class TestSecondFactor:
    def test_the_local_factor_is_asked_for_unless_the_provider_gave_one(
        self, provider: IdentityProvider, linked: User, administrator: User, client: Client
    ) -> None:
        secret = give_app(linked)
        provider.knows("tess", linked.email, amr=["pwd", "otp"])
        assert provider.sign_in(client, "tess")["Location"] == "/account/2fa/authenticate/"
        client.post("/account/2fa/authenticate/", {"code": code_of(secret)})
        assert is_in(client)
        client.post("/account/logout/")
        demand(administrator, provider_factors=("otp",))
        provider.sign_in(client, "tess")
        assert is_in(client)
        event = AuditEvent.objects.filter(action="session.signed_in").latest("at")
        assert (event.after or {})["second_factor_there"] is True

    def test_a_rule_that_wants_a_factor_is_met_by_the_providers(
        self, provider: IdentityProvider, linked: User, administrator: User, client: Client
    ) -> None:
        demand(administrator, second_factor_roles=(Role.TECHNICIAN,), provider_factors=("gold",))
        provider.sign_in(client, "tess")
        assert client.get("/")["Location"] == "/account/2fa/"
        client.post("/account/logout/")
        provider.knows("tess", linked.email, acr="gold")
        provider.sign_in(client, "tess")
        assert client.get("/").status_code == 200

    def test_who_has_nothing_here_confirms_at_the_provider_before_adding_a_factor(
        self, provider: IdentityProvider, linked: User, client: Client
    ) -> None:
        linked.set_unusable_password()
        linked.save(update_fields=["password"])
        provider.sign_in(client, "tess")
        away = client.get("/account/2fa/totp/activate/")["Location"]
        assert away.startswith("/account/single-sign-on/confirm/")
        going = client.post(away)
        assert parse_qs(urlsplit(going.context["address"]).query)["prompt"] == ["login"]
        back = provider.come_back(client, going, "tess")
        assert back["Location"] == "/account/2fa/totp/activate/"
        assert client.get(back["Location"]).status_code == 200
        assert AuditEvent.objects.filter(action="sso.confirmed", actor=linked).exists()


class TestGroups:
    RULES = {"group_roles": {"haem-md": "pathologist", "haem-mls": "technician"}}

    def test_a_group_changes_the_role_at_sign_in(
        self, provider: IdentityProvider, linked: User, administrator: User, client: Client
    ) -> None:
        demand(administrator, **self.RULES)
        provider.knows("tess", linked.email, groups=["staff", "haem-md"])
        provider.sign_in(client, "tess")
        assert is_in(client)
        assert client.get("/").status_code == 200
        assert User.objects.get(pk=linked.pk).role == Role.PATHOLOGIST
        event = AuditEvent.objects.get(action="user.role_changed")
        assert (event.actor.is_system, event.target_id) == (True, str(linked.pk))

    @pytest.mark.parametrize("groups", [[], ["staff"], ["haem-md", "haem-mls"]])
    def test_no_group_or_two_that_differ_open_nothing(
        self,
        provider: IdentityProvider,
        linked: User,
        administrator: User,
        client: Client,
        groups: list[str],
    ) -> None:
        demand(administrator, **self.RULES)
        provider.knows("tess", linked.email, groups=groups)
        provider.sign_in(client, "tess")
        assert not is_in(client)
        assert refusals() == ["no role by group"]

    def test_a_consultant_is_no_groups_business(
        self, provider: IdentityProvider, consultant: User, administrator: User, client: Client
    ) -> None:
        demand(administrator, **self.RULES)
        link(consultant, provider, "cora")
        provider.knows("cora", consultant.email, groups=["haem-md"])
        provider.sign_in(client, "cora")
        assert is_in(client)
        assert User.objects.get(pk=consultant.pk).role == Role.CONSULTANT

    def test_people_unknown_here_come_in_by_group_alone_and_where_the_laboratory_says_so(
        self, provider: IdentityProvider, administrator: User, client: Client
    ) -> None:
        provider.knows("newton", "newton@x.example", groups=["haem-mls"])
        demand(administrator, **self.RULES)
        provider.sign_in(client, "newton")
        assert not is_in(client)
        demand(administrator, **self.RULES, admits_unknown=True)
        assert provider.sign_in(client, "newton")["Location"] == JOIN
        client.post(JOIN, {"full_name": "Nell Newton", "agreed": "on"})
        assert is_in(client)
        user = User.objects.get(email="newton@x.example")
        assert user.role == Role.TECHNICIAN
        assert AuditEvent.objects.filter(action="sso.admitted", target_id=user.pk).exists()


def test_a_person_of_the_provider_needs_no_new_password_after_an_incident(
    provider: IdentityProvider, linked: User, client: Client
) -> None:
    linked.must_change_password = True
    linked.save(update_fields=["must_change_password"])
    provider.sign_in(client, "tess")
    assert client.get("/").status_code == 200


def test_forced_log_off_ends_these_sessions_too(
    provider: IdentityProvider, linked: User, administrator: User, client: Client
) -> None:
    provider.sign_in(client, "tess")
    end_sessions(actor=administrator, user=linked, reason="Badge found")
    assert client.get("/").status_code == 302


def test_a_lock_out_of_the_password_leaves_the_provider_open(
    provider: IdentityProvider, linked: User, client: Client
) -> None:
    for _ in range(6):
        client.post("/account/login/", {"login": linked.email, "password": "wrong"})
    provider.sign_in(client, "tess")
    assert is_in(client)
