"""What ends, or leaves alone, the session of somebody who came from the provider."""

from django.test import Client

from accounts.models import User
from accounts.open_sessions import end_sessions
from tests.accounts.single_sign_on.ways import is_in
from tests.identity_provider import IdentityProvider


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
