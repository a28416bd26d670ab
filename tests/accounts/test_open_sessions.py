"""Who is signed in, and ending that."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.exceptions import NotPermitted, ReasonMissing, WrongState
from accounts.models import AuditEvent, User
from accounts.open_sessions import (
    end_all_sessions,
    end_session,
    end_sessions,
    list_sessions,
    name_device,
)
from tests.browsing import SignIn
from tests.factories import PASSWORD
from tests.pages import words_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PAGE = reverse("notifications:notices")

pytestmark = pytest.mark.usefixtures("empty_cache")


def signed_in(user: User) -> Client:
    """Return a browser in which somebody signed in by the page."""
    client = Client(headers={"User-Agent": FIREFOX})
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert client.get(PAGE).status_code == 200
    return client


def is_out(client: Client) -> bool:
    return client.get(PAGE).status_code == 302


def test_a_session_is_listed_with_device_address_and_times(technician: User) -> None:
    client = signed_in(technician)
    (found,) = list_sessions([technician])
    assert (found.device, found.address) == ("Firefox on Linux", "127.0.0.1")
    assert found.since is not None
    assert timezone.now() - found.since < timedelta(minutes=1)
    assert found.last_active is not None
    assert found.handle not in (client.session.session_key or "")


def test_devices_are_called_what_people_call_them() -> None:
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
    edge = "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0"
    assert name_device(phone) == "Safari on iPhone"
    assert name_device(edge) == "Edge on Windows"
    assert name_device("") == name_device("<script>") == "unknown device"


def test_an_idle_session_is_no_longer_listed(technician: User) -> None:
    signed_in(technician)
    with time_machine.travel(timezone.now() + timedelta(minutes=21)):
        assert list_sessions([technician]) == []


def test_one_session_ends_and_the_others_go_on(technician: User, administrator: User) -> None:
    ward, home = signed_in(technician), signed_in(technician)
    key = home.session.session_key
    handle = next(one.handle for one in list_sessions([technician]) if one.key == key)
    wish: dict[str, Any] = {
        "actor": administrator,
        "user": technician,
        "handle": handle,
        "reason": "Left open.",
    }
    end_session(**wish)
    assert is_out(home)
    assert not is_out(ward)
    with pytest.raises(WrongState):
        end_session(**wish)
    event = AuditEvent.objects.get(action="user.session_ended")
    assert (event.reason, (event.before or {})["device"]) == ("Left open.", "Firefox on Linux")


def test_a_session_is_not_ended_through_another_person(
    technician: User, pathologist: User, administrator: User
) -> None:
    client = signed_in(technician)
    (found,) = list_sessions([technician])
    with pytest.raises(WrongState):
        end_session(actor=administrator, user=pathologist, handle=found.handle, reason="x")
    assert not is_out(client)


def test_a_person_is_logged_off_everywhere_and_may_come_back(
    technician: User, pathologist: User, administrator: User
) -> None:
    first, second, other = signed_in(technician), signed_in(technician), signed_in(pathologist)
    end_sessions(actor=administrator, user=technician, reason="Phone lost.")
    assert is_out(first)
    assert is_out(second)
    assert not is_out(other)
    signed_in(technician)
    assert AuditEvent.objects.get(action="user.sessions_ended").before == {"sessions": 2}


def test_everybody_else_is_logged_off(
    technician: User, pathologist: User, administrator: User, client_for: SignIn
) -> None:
    clients, desk = [signed_in(technician), signed_in(pathologist)], client_for(administrator)
    page = reverse("accounts:log_off_everybody")
    listed = words_of(desk.get(page))
    assert technician.full_name in listed
    assert desk.post(page, {"reason": ""}).status_code == 200
    assert not is_out(clients[0])
    desk.post(page, {"reason": "Suspected break-in."})
    assert [is_out(client) for client in clients] == [True, True]
    assert not is_out(desk)
    assert AuditEvent.objects.get(action="sessions.all_ended").reason == "Suspected break-in."


def test_the_page_of_a_person_ends_a_session(
    technician: User, administrator: User, client_for: SignIn
) -> None:
    client, desk = signed_in(technician), client_for(administrator)
    (found,) = list_sessions([technician])
    page = desk.get(technician.get_absolute_url())
    assert "Firefox on Linux" in words_of(page)
    assert found.key not in page.content.decode()
    address = reverse("accounts:user_session_end", args=[technician.pk, found.handle])
    desk.post(address)
    assert not is_out(client)
    desk.post(address, {"reason": "Left open on the ward."})
    assert is_out(client)


def test_only_administrators_end_sessions_and_they_say_why(
    technician: User, pathologist: User, administrator: User
) -> None:
    with pytest.raises(NotPermitted):
        end_all_sessions(actor=pathologist, reason="x")
    with pytest.raises(ReasonMissing):
        end_sessions(actor=administrator, user=technician, reason=" ")
