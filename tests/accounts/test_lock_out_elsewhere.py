"""Failures are counted over all addresses of an account and over all accounts of an address."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.lockout import lock_outs, locked_emails
from accounts.models import AuditEvent, User
from tests.browsing import SignIn
from tests.factories import PASSWORD
from tests.pages import text_of

pytestmark = pytest.mark.usefixtures("empty_cache")

DESK = "192.0.2.1"
LOCKED = 429


def attempt(email: str, address: str, password: str = "wrong") -> int:
    form = {"login": email, "password": password}
    return Client().post("/account/login/", form, REMOTE_ADDR=address).status_code


@pytest.fixture(autouse=True)
def few(settings) -> None:  # type: ignore[no-untyped-def]
    settings.LOCKOUT_ACCOUNT_FAILURES, settings.LOCKOUT_ADDRESS_FAILURES = 4, 6


def spread(user: User, times: int) -> list[int]:
    """Fail once from each of so many addresses."""
    return [attempt(user.email, f"198.51.100.{number}") for number in range(times)]


def test_failures_from_many_addresses_lock_an_account_everywhere_new(technician: User) -> None:
    assert spread(technician, 5) == [200, 200, 200, LOCKED, LOCKED]
    assert attempt(technician.email, "203.0.113.7", PASSWORD) == LOCKED
    event = AuditEvent.objects.get(action="session.locked_out")
    assert event.after == {"email": technician.email, "failures": 4}


def test_somebody_can_not_be_kept_from_their_own_desk(technician: User) -> None:
    assert attempt(technician.email, DESK, PASSWORD) == 302
    spread(technician, 6)
    assert attempt(technician.email, DESK, PASSWORD) == 302
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        spread(technician, 6)
        assert attempt(technician.email, DESK, PASSWORD) == LOCKED


def test_failures_of_many_accounts_lock_their_address_but_not_those_who_work_there(
    technician: User, pathologist: User
) -> None:
    assert attempt(technician.email, DESK, PASSWORD) == 302
    guesses = [attempt(f"person{number}@guessed.example", DESK) for number in range(7)]
    assert guesses == [200] * 5 + [LOCKED] * 2
    assert attempt(pathologist.email, DESK, PASSWORD) == LOCKED
    assert attempt(technician.email, DESK, PASSWORD) == 302
    assert attempt(pathologist.email, "203.0.113.7", PASSWORD) == 302


def test_it_ends_after_a_quarter_of_an_hour_or_by_an_administrator(
    technician: User, administrator: User
) -> None:
    spread(technician, 4)
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=5)):
        assert attempt(technician.email, DESK, PASSWORD) == 302
    spread(technician, 4)
    assert locked_emails() == {technician.email}
    services.unlock_user(actor=administrator, user=technician)
    assert attempt(technician.email, "203.0.113.7", PASSWORD) == 302


def test_administrators_see_both(technician: User, administrator: User, client_for: SignIn) -> None:
    spread(technician, 4)
    for number in range(6):
        attempt(f"person{number}@guessed.example", DESK)
    assert {(one.email, one.address) for one in lock_outs()} == {(technician.email, ""), ("", DESK)}
    page = text_of(client_for(administrator).get("/administration/sign-in/"))
    assert f"{technician.email} from every address new to it, 4 failures" in page
    assert f"All accounts new to {DESK}, 6 failures" in page
