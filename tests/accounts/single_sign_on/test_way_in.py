"""The way to the provider and back."""

from urllib.parse import parse_qs, urlsplit

from django.test import Client

from accounts.models import AuditEvent, User
from tests.accounts.single_sign_on.ways import START, is_in
from tests.browsing import SignIn
from tests.identity_provider import NAME, IdentityProvider, said


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
