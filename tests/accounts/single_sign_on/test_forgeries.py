"""Answers that are forged, replayed or meant for somebody else open nothing."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import User
from accounts.single_sign_on import provider as protocol
from tests.accounts.single_sign_on.ways import START, is_in, refusals
from tests.identity_provider import IdentityProvider, arrive


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
