"""People see where they are signed in, and sign out there themselves."""

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from accounts.open_sessions import handle_of, list_sessions
from tests.accounts.factors import confirm
from tests.browsing import SignIn
from tests.factories import PASSWORD
from tests.pages import text_of

PAGE = reverse("own_sessions")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

pytestmark = pytest.mark.usefixtures("empty_cache")


def signed_in(user: User, device: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": device})
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert not is_out(client)
    return client


def is_out(client: Client) -> bool:
    return client.get(PAGE).status_code == 302


def end_of(client: Client) -> str:
    return reverse("own_session_end", args=[handle_of(client.session.session_key or "")])


def test_each_session_is_listed_with_browser_and_times_and_this_one_is_marked(
    technician: User, pathologist: User
) -> None:
    desk, ward = signed_in(technician), signed_in(technician, "Chrome/130.0 (Windows NT 10.0)")
    signed_in(pathologist, "Safari/604.1 (iPhone)")
    page = text_of(desk.get(PAGE))
    assert "Firefox on Linux this one from 127.0.0.1" in page
    assert "Chrome on Windows from 127.0.0.1" in page
    assert "iPhone" not in page
    assert str(ward.session.session_key) not in desk.get(PAGE).content.decode()


def test_one_is_ended_after_a_confirmation_and_the_others_go_on(technician: User) -> None:
    desk, ward, home = (signed_in(technician) for _ in range(3))
    asked = desk.post(end_of(ward))
    assert urlsplit(asked["Location"]).path == reverse("account_reauthenticate")
    assert not is_out(ward)
    desk.post(asked["Location"], {"password": PASSWORD})
    assert is_out(ward)
    assert not is_out(home)
    event = AuditEvent.objects.get(action="user.own_session_ended")
    assert (event.actor, (event.before or {})["device"]) == (technician, "Firefox on Linux")
    desk.post(end_of(ward))
    assert AuditEvent.objects.filter(action="user.own_session_ended").count() == 1


def test_everywhere_else_is_ended_at_once(technician: User) -> None:
    desk, ward, home = (signed_in(technician) for _ in range(3))
    confirm(desk)
    desk.post(reverse("own_sessions_end"))
    assert [is_out(one) for one in (desk, ward, home)] == [False, True, True]
    assert AuditEvent.objects.filter(action="user.own_session_ended").count() == 2


def test_nobody_ends_the_session_of_another(
    technician: User, pathologist: User, client_for: SignIn
) -> None:
    theirs, stranger = signed_in(pathologist), client_for(technician)
    confirm(stranger)
    answer = stranger.post(end_of(theirs), follow=True)
    assert "This session is over already." in text_of(answer)
    assert len(list_sessions([pathologist])) == 1


def test_who_only_comes_by_an_address_of_ending_sees_the_list(technician: User) -> None:
    desk = signed_in(technician)
    for address in (end_of(desk), reverse("own_sessions_end")):
        assert desk.get(address)["Location"] == PAGE
    assert not is_out(desk)
