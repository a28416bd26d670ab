"""Sign-in, failures, lock-out and unlocking; all of it audited."""

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import services
from accounts.authentication import PasswordCheck, verify_password
from accounts.exceptions import WrongState
from accounts.lockout import locked_emails
from accounts.models import AuditEvent, User
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("empty_cache")


def _try(client: Client, user: User, password: str, address: str = "192.0.2.1") -> int:
    credentials = {"login": user.email.upper(), "password": password}
    return client.post("/account/login/", credentials, REMOTE_ADDR=address).status_code


def _fail(client: Client, user: User, times: int) -> list[int]:
    return [_try(client, user, "wrong") for _ in range(times)]


def _actions() -> list[str]:
    return list(AuditEvent.objects.order_by("at").values_list("action", flat=True))


def test_signing_in_and_out_is_recorded(client: Client, technician: User) -> None:
    assert _try(client, technician, PASSWORD) == 302
    client.post("/account/logout/")
    assert _actions() == ["session.signed_in", "session.signed_out"]
    event = AuditEvent.objects.filter(action="session.signed_in").get()
    assert (event.actor, event.client_address) == (technician, "192.0.2.1")


def test_a_failure_is_recorded_against_the_account(client: Client, technician: User) -> None:
    assert _try(client, technician, "wrong") == 200
    event = AuditEvent.objects.get()
    assert event.action == "session.sign_in_failed"
    assert (event.actor, event.target_id) == (User.system(), str(technician.pk))
    assert "wrong" not in event.payload


def test_an_unknown_email_looks_the_same(client: Client, db: None) -> None:
    response = client.post("/account/login/", {"login": "no@body.example", "password": "wrong"})
    assert response.status_code == 200
    assert AuditEvent.objects.get().after == {"email": "no@body.example", "known": False}


def test_five_failures_lock_even_the_right_password(client: Client, technician: User) -> None:
    assert _fail(client, technician, 5) == [200, 200, 200, 200, 429]
    response = client.post(
        "/account/login/",
        {"login": technician.email, "password": PASSWORD},
        REMOTE_ADDR="192.0.2.1",
    )
    assert response.status_code == 429
    assert b"Locked for 15 minutes" in response.content
    assert locked_emails() == {technician.email}
    assert _actions().count("session.locked_out") == 1
    assert _actions().count("session.sign_in_failed") == 6


def test_the_lock_holds_for_one_address(client: Client, technician: User) -> None:
    _fail(client, technician, 5)
    assert _try(client, technician, PASSWORD, address="198.51.100.9") == 302


def test_the_lock_ends_after_a_quarter_of_an_hour(client: Client, technician: User) -> None:
    _fail(client, technician, 5)
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=5)):
        assert locked_emails() == set()
        assert _try(client, technician, PASSWORD) == 302


def test_success_forgets_earlier_failures(client: Client, technician: User) -> None:
    _fail(client, technician, 4)
    assert _try(client, technician, PASSWORD) == 302
    client.post("/account/logout/")
    assert _fail(client, technician, 4) == [200, 200, 200, 200]


def test_an_administrator_unlocks(client: Client, technician: User, administrator: User) -> None:
    _fail(client, technician, 5)
    services.unlock_user(actor=administrator, user=technician)
    assert _try(client, technician, PASSWORD) == 302
    event = AuditEvent.objects.get(action="user.unlocked")
    assert (event.actor, event.before) == (administrator, {"failed_sign_ins": 5})
    with pytest.raises(WrongState):
        services.unlock_user(actor=administrator, user=technician)


def test_a_deactivated_account_looks_like_a_wrong_password(
    client: Client, technician: User, administrator: User
) -> None:
    services.deactivate_user(actor=administrator, user=technician, reason="Left")
    assert _try(client, technician, PASSWORD) == 200


@pytest.fixture
def signing(pathologist: User) -> HttpRequest:
    form = {"password": "x", "comment": "A patient's blood"}
    request = RequestFactory().post("/reports/1/sign", form, REMOTE_ADDR="192.0.2.1")
    request.user = pathologist
    return request


class TestVerifyPassword:
    def test_confirms(self, signing: HttpRequest, pathologist: User) -> None:
        assert verify_password(signing, pathologist, PASSWORD) == PasswordCheck.CONFIRMED

    def test_five_failures_lock_signing_and_sign_in(
        self, signing: HttpRequest, pathologist: User, client: Client
    ) -> None:
        answers = [verify_password(signing, pathologist, "wrong") for _ in range(6)]
        assert answers == [PasswordCheck.WRONG] * 4 + [PasswordCheck.LOCKED] * 2
        assert verify_password(signing, pathologist, PASSWORD) == PasswordCheck.LOCKED
        assert _try(client, pathologist, PASSWORD) == 429

    def test_a_failure_is_the_act_of_the_person_signed_in(
        self, signing: HttpRequest, pathologist: User
    ) -> None:
        verify_password(signing, pathologist, "wrong")
        event = AuditEvent.objects.get()
        assert (event.action, event.actor) == ("user.reauthentication_failed", pathologist)

    def test_keeps_nothing_of_the_form(self, signing: HttpRequest, pathologist: User) -> None:
        from axes.models import AccessAttempt

        verify_password(signing, pathologist, "wrong")
        attempt = AccessAttempt.objects.get()
        assert "blood" not in attempt.post_data

    def test_success_forgets_failures(self, signing: HttpRequest, pathologist: User) -> None:
        for _ in range(3):
            for _ in range(3):
                verify_password(signing, pathologist, "wrong")
            assert verify_password(signing, pathologist, PASSWORD) == PasswordCheck.CONFIRMED

    def test_a_deactivated_signer_is_not_confirmed(
        self, signing: HttpRequest, pathologist: User
    ) -> None:
        User.objects.filter(pk=pathologist.pk).update(is_active=False)
        assert verify_password(signing, pathologist, PASSWORD) == PasswordCheck.WRONG
