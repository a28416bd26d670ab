"""A session begins anew at sign-in, its cookie is guarded, and it ends when it should."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.enums import Role
from accounts.models import User
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("empty_cache")

ClientFor = Callable[[User], Client]
COOKIE = settings.SESSION_COOKIE_NAME


def _sign_in(client: Client, user: User) -> None:
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})


def _is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_a_session_planted_before_sign_in_opens_nothing_after(technician: User) -> None:
    attacker = Client()
    attacker.get("/account/2fa/keys/sign-in/", headers={"X-Requested-With": "XMLHttpRequest"})
    planted = attacker.cookies[COOKIE].value
    victim = Client()
    victim.cookies[COOKIE] = planted
    _sign_in(victim, technician)
    assert _is_in(victim)
    assert victim.cookies[COOKIE].value != planted
    assert not _is_in(attacker)


def test_a_name_of_ones_own_making_is_no_session(technician: User) -> None:
    client = Client()
    client.cookies[COOKIE] = "chosenbytheattacker0000000000000"
    _sign_in(client, technician)
    assert client.cookies[COOKIE].value != "chosenbytheattacker0000000000000"


def test_signing_out_ends_it_at_the_server(technician: User) -> None:
    client, copy = Client(), Client()
    _sign_in(client, technician)
    copy.cookies[COOKIE] = client.cookies[COOKIE].value
    client.post("/account/logout/")
    assert not _is_in(copy)


def test_its_cookie_is_closed_to_scripts_and_to_other_sites(technician: User) -> None:
    client = Client()
    _sign_in(client, technician)
    cookie = client.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert not cookie["max-age"], "it ends with the browser"


def test_over_https_cookies_travel_over_nothing_else(settings, technician: User) -> None:  # type: ignore[no-untyped-def]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = Client()
    client.get("/account/login/", secure=True)
    form = {"login": technician.email, "password": PASSWORD}
    client.post("/account/login/", form, secure=True)
    assert all(cookie["secure"] for cookie in client.cookies.values())
    assert COOKIE in client.cookies


def test_over_https_the_session_is_this_hosts_alone() -> None:
    """Asked of a process of its own: the name is settled when the settings are read."""
    named = _asked_of_settings("SESSION_COOKIE_NAME")
    assert named == {
        "https://laboratory.example": "__Host-sessionid", "http://127.0.0.1:8000": "sessionid"
    }  # fmt: skip


def test_over_https_administrators_need_a_second_factor_from_the_first_day() -> None:
    named = _asked_of_settings("FIRST_SECOND_FACTOR_ROLES")
    assert named == {
        "https://laboratory.example": "['administrator']", "http://127.0.0.1:8000": "[]"
    }  # fmt: skip


def _asked_of_settings(name: str) -> dict[str, str]:
    """Return a setting by site."""
    asked = f"from hematovision.settings import {name} as name; print(name)"
    return {
        site: subprocess.run(
            [sys.executable, "-c", asked], env={**os.environ, "SITE_URL": site},
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for site in ("https://laboratory.example", "http://127.0.0.1:8000")
    }  # fmt: skip


def test_a_new_password_ends_the_other_sessions(technician: User, client_for: ClientFor) -> None:
    here, elsewhere = client_for(technician), client_for(technician)
    new = "seven quiet microscopes"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/account/password/change/", form).status_code == 302
    assert _is_in(here)
    assert not _is_in(elsewhere)


def test_another_role_ends_all_sessions(
    technician: User, administrator: User, client_for: ClientFor
) -> None:
    client = client_for(technician)
    assert _is_in(client)
    services.change_role(
        actor=administrator, user=technician, role=Role.PATHOLOGIST, reason="Examined"
    )
    assert not _is_in(client)


def test_closing_the_account_ends_them_too(
    technician: User, administrator: User, client_for: ClientFor
) -> None:
    client = client_for(technician)
    services.deactivate_user(actor=administrator, user=technician, reason="Left")
    assert not _is_in(client)


def test_signing_out_has_the_browser_forget(technician: User) -> None:
    client = Client()
    _sign_in(client, technician)
    assert "Clear-Site-Data" not in client.get("/").headers
    left = client.post("/account/logout/")
    assert left["Clear-Site-Data"] == '"cache", "storage"'


def test_so_does_the_end_for_want_of_activity(technician: User) -> None:
    client = Client()
    _sign_in(client, technician)
    client.get("/")
    with time_machine.travel(timezone.now() + timedelta(minutes=21)):
        assert client.get("/")["Clear-Site-Data"] == '"cache", "storage"'
