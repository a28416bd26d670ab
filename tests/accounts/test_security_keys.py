"""Security keys and passkeys: set up, named, signed in with, removed; all of it audited."""

import json
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts import services
from accounts.models import AuditEvent, User
from tests.accounts.factors import KEYS, add_key, confirm, options_in
from tests.accounts.security_key import SecurityKey
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("empty_cache")

SECOND_STEP = "/account/2fa/authenticate/"


@pytest.fixture
def desk(technician: User, client_for: Callable[[User], Client]) -> Client:
    return client_for(technician)


def _start(user: User) -> Client:
    """Give the password at the door."""
    client = Client()
    response = client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert response["Location"].startswith(SECOND_STEP)
    return client


def _is_in(client: Client) -> bool:
    return client.get("/account/password/change/").status_code == 200


def _passkey_options(client: Client) -> dict[str, object]:
    address = f"{KEYS}sign-in/"
    answer = client.get(address, headers={"X-Requested-With": "XMLHttpRequest"})
    options: dict[str, object] = json.loads(answer.content)["request_options"]
    return options


def test_a_key_is_set_up_under_the_name_its_owner_gives(desk: Client, technician: User) -> None:
    add_key(desk, "blue key")
    assert str(Authenticator.objects.get(type="webauthn")) == "blue key"
    added = AuditEvent.objects.filter(action="user.mfa_added", actor=technician)
    assert {"factor": "webauthn", "name": "blue key"} in [event.after for event in added]
    assert "blue key" in desk.get("/account/2fa/").content.decode()


def test_setting_one_up_needs_a_fresh_password(desk: Client) -> None:
    assert desk.get(f"{KEYS}add/")["Location"].startswith("/account/reauthenticate/")


def test_a_key_answers_only_the_challenge_of_this_page(desk: Client) -> None:
    confirm(desk)
    key, elsewhere = SecurityKey(), options_in(desk.get(f"{KEYS}add/").content)
    desk.get(f"{KEYS}add/")
    response = desk.post(f"{KEYS}add/", {"name": "x", "credential": key.create(elsewhere)})
    assert response.status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("credential", ["", "{}", "[]", "1", '{"response": 3}', "no json"])
def test_what_is_no_key_is_refused(desk: Client, credential: str) -> None:
    confirm(desk)
    desk.get(f"{KEYS}add/")
    assert desk.post(f"{KEYS}add/", {"credential": credential}).status_code == 200
    assert not Authenticator.objects.exists()


def test_sign_in_takes_the_key_after_the_password(desk: Client, technician: User) -> None:
    key = add_key(desk)
    client = _start(technician)
    assert not _is_in(client)
    options = options_in(client.get(SECOND_STEP).content)
    assert client.post(SECOND_STEP, {"credential": key.get(options)})["Location"] == "/"
    assert _is_in(client)


def test_another_key_is_refused_and_recorded(desk: Client, technician: User) -> None:
    add_key(desk)
    client = _start(technician)
    options = options_in(client.get(SECOND_STEP).content)
    response = client.post(SECOND_STEP, {"credential": SecurityKey().get(options)})
    assert "This key was not accepted" in response.content.decode()
    assert not _is_in(client)
    event = AuditEvent.objects.get(action="session.sign_in_failed")
    assert event.after == {"email": technician.email, "factor": "webauthn"}


def test_a_recovery_code_stands_in_for_a_lost_key_once(desk: Client, technician: User) -> None:
    from tests.accounts.factors import recovery_code

    add_key(desk)
    code = recovery_code(technician)
    assert _start(technician).post(SECOND_STEP, {"code": code}).status_code == 302
    assert _start(technician).post(SECOND_STEP, {"code": code}).status_code == 200


def test_a_passkey_opens_the_account_alone(desk: Client, technician: User) -> None:
    key = add_key(desk, is_passkey=True)
    client = Client()
    response = client.post(f"{KEYS}sign-in/", {"credential": key.get(_passkey_options(client))})
    assert response["Location"] == "/"
    assert _is_in(client)


def test_a_key_that_is_not_known_opens_nothing(desk: Client) -> None:
    add_key(desk, is_passkey=True)
    client = Client()
    for credential in (SecurityKey().get(_passkey_options(client)), "{}", "[]"):
        response = client.post(f"{KEYS}sign-in/", {"credential": credential})
        assert response["Location"] == "/account/login/"
    assert not _is_in(client)


def test_a_passkey_does_not_open_a_closed_account(
    desk: Client, technician: User, administrator: User
) -> None:
    key = add_key(desk, is_passkey=True)
    services.deactivate_user(actor=administrator, user=technician, reason="Left")
    client = Client()
    response = client.post(f"{KEYS}sign-in/", {"credential": key.get(_passkey_options(client))})
    assert response["Location"] == "/account/login/"
    assert not _is_in(client)


def test_a_key_is_renamed_and_removed(desk: Client, technician: User) -> None:
    add_key(desk)
    key = Authenticator.objects.get(type="webauthn")
    desk.post(f"{KEYS}{key.pk}/name/", {"name": "green key"})
    event = AuditEvent.objects.get(action="user.mfa_renamed")
    assert (event.before, event.after) == ({"name": "blue key"}, {"name": "green key"})
    assert "green key" in desk.get(f"{KEYS}{key.pk}/remove/").content.decode()
    desk.post(f"{KEYS}{key.pk}/remove/")
    assert not Authenticator.objects.exists()
    removed = AuditEvent.objects.filter(action="user.mfa_removed", actor=technician)
    assert {"factor": "webauthn", "name": "green key"} in [event.before for event in removed]


def test_nobody_touches_the_key_of_another(
    desk: Client, pathologist: User, client_for: Callable[[User], Client]
) -> None:
    add_key(desk)
    key = Authenticator.objects.get(type="webauthn")
    other = client_for(pathologist)
    confirm(other)
    for page in ("name", "remove"):
        assert other.get(f"{KEYS}{key.pk}/{page}/").status_code == 404
        assert other.post(f"{KEYS}{key.pk}/{page}/", {"name": "mine"}).status_code == 404
    assert str(Authenticator.objects.get(pk=key.pk)) == "blue key"


def test_recovery_codes_are_shown_once(desk: Client, technician: User) -> None:
    add_key(desk)
    first, second = (desk.get("/account/2fa/recovery-codes/") for _ in range(2))
    assert len(first.context["unused_codes"]) == 10
    assert first.context["can_view_codes"]
    assert not second.context["can_view_codes"]
    assert set(second.context["unused_codes"]) == {"****"}
    assert "10 unused codes left" in desk.get("/account/2fa/").content.decode()
