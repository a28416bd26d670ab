"""The provider fails, or turns somebody back."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from accounts.single_sign_on import provider as protocol
from tests.accounts.single_sign_on.ways import START, is_in
from tests.factories import PASSWORD
from tests.identity_provider import IdentityProvider, arrive, said


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
