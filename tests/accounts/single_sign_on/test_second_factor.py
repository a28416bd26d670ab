"""Which factors of the provider count here."""

from urllib.parse import parse_qs, urlsplit

from django.test import Client

from accounts.enums import Role
from accounts.models import AuditEvent, User
from tests.accounts.factors import code_of, demand, give_app
from tests.accounts.single_sign_on.ways import is_in
from tests.identity_provider import IdentityProvider


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
