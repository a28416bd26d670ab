"""Unused sessions end; the pages' own requests are no use."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User

PAGE = "/account/password/change/"
LOGIN = "/account/login/?next=/account/password/change/"


@pytest.fixture
def session(client_for: Callable[[User], Client], technician: User) -> Client:
    client = client_for(technician)
    client.get(PAGE)
    return client


def _in(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def test_an_unused_session_ends_with_a_word_and_a_way_back(session: Client) -> None:
    with time_machine.travel(_in(20.1)):
        response = session.get(PAGE)
        assert response["Location"] == LOGIN
        assert b"signed out after 20 minutes" in session.get(response["Location"]).content
    assert AuditEvent.objects.filter(action="session.timed_out").count() == 1
    assert not AuditEvent.objects.filter(action="session.signed_out").exists()


def test_use_keeps_it_alive(session: Client) -> None:
    for minutes in (15, 30, 45):
        with time_machine.travel(_in(minutes)):
            assert session.get(PAGE).status_code == 200


def test_reading_without_asking_keeps_it_alive_through_the_page(session: Client) -> None:
    with time_machine.travel(_in(15)):
        assert session.post("/administration/keep-alive/").status_code == 204
    with time_machine.travel(_in(30)):
        assert session.get(PAGE).status_code == 200


def test_polling_does_not(session: Client) -> None:
    for minutes in (5, 10, 15, 19):
        with time_machine.travel(_in(minutes)):
            assert session.get(PAGE, headers={"X-Background": "1"}).status_code == 200
    with time_machine.travel(_in(20.1)):
        assert session.get(PAGE, headers={"X-Background": "1"}).status_code == 302


def test_a_fragment_is_told_to_leave_the_page(session: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "/cases/"}
    with time_machine.travel(_in(21)):
        response = session.get(PAGE, headers=headers)
    assert (response.status_code, response["HX-Redirect"]) == (204, "/account/login/?next=/cases/")


def test_a_program_is_told_to_sign_in(session: Client) -> None:
    with time_machine.travel(_in(21)):
        response = session.get(PAGE, headers={"Accept": "application/json"})
    assert response.status_code == 401


def test_a_form_sent_too_late_leads_to_the_start(session: Client) -> None:
    with time_machine.travel(_in(21)):
        assert session.post(PAGE)["Location"] == "/account/login/?next=/"


def test_strangers_are_left_alone(client: Client, db: None) -> None:
    assert client.get("/account/login/").status_code == 200
    assert client.post("/administration/keep-alive/").status_code == 302
