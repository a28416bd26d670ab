"""Signing with a second factor where the laboratory wants one, and what the signature records."""

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from classifier.models import Case
from reports.models import Report
from tests.accounts.factors import (
    add_key,
    code_of,
    demand,
    give_app,
    options_in,
    recovery_code,
)
from tests.reports.pages import ClientFor, address
from tests.reports.test_signing_page import signing_form

pytestmark = pytest.mark.usefixtures("empty_cache")


@pytest.fixture
def client(pathologist: User, client_for: ClientFor, administrator: User) -> Client:
    return client_for(pathologist)


@pytest.fixture
def url(ready_case: Case) -> str:
    return address("sign_off", ready_case)


@pytest.fixture
def wanted(administrator: User) -> None:
    """The laboratory wants a second factor under each signature."""
    demand(administrator, signing_needs_second_factor=True)


def _method() -> str:
    return Report.objects.get().sign_off.reauthenticated_by


def test_without_the_rule_nothing_is_asked(client: Client, url: str, pathologist: User) -> None:
    give_app(pathologist)
    page = client.get(url).content.decode()
    assert 'name="code"' not in page
    client.post(url, signing_form(page))
    assert _method() == "password"


def test_a_code_from_the_app_is_recorded(
    client: Client, url: str, pathologist: User, wanted: None
) -> None:
    secret = give_app(pathologist)
    page = client.get(url).content.decode()
    assert 'name="code"' in page
    for given in ({}, {"code": "000000"}, {"code": code_of(secret), "password": "wrong"}):
        assert client.post(url, signing_form(page, **given)).status_code == 422
    assert not Report.objects.exists()
    assert client.post(url, signing_form(page, code=code_of(secret))).status_code == 302
    assert _method() == "password_code"
    failed = AuditEvent.objects.filter(action="user.reauthentication_failed", actor=pathologist)
    assert [event.after for event in failed if event.after] == [
        {"email": pathologist.email, "factor": "totp"}
    ]


def test_a_security_key_is_recorded(client: Client, url: str, wanted: None) -> None:
    key = add_key(client)
    page = client.get(url).content
    form = signing_form(page.decode(), credential=key.get(options_in(page)))
    assert client.post(url, form).status_code == 302
    assert _method() == "password_key"


def test_what_a_key_signed_before_is_not_taken_again(
    client: Client, url: str, wanted: None
) -> None:
    key = add_key(client)
    page = client.get(url).content
    answer = key.get(options_in(page))
    wrong = signing_form(page.decode(), credential=answer)
    client.get(url)
    refused = client.post(url, wrong)
    assert refused.status_code == 422
    assert "was not accepted" in refused.content.decode()
    assert not Report.objects.exists()


def test_a_recovery_code_is_recorded(
    client: Client, url: str, pathologist: User, wanted: None
) -> None:
    add_key(client)
    page = client.get(url).content.decode()
    client.post(url, signing_form(page, code=recovery_code(pathologist)))
    assert _method() == "password_backup"


def test_one_given_minutes_ago_holds(
    client: Client, url: str, pathologist: User, wanted: None
) -> None:
    secret = give_app(pathologist)
    client.post("/account/2fa/reauthenticate/", {"code": code_of(secret)})
    page = client.get(url).content.decode()
    assert "given within the last five minutes" in page
    assert client.post(url, signing_form(page)).status_code == 302
    assert _method() == "password_code"


def test_who_has_none_is_led_to_set_one_up(client: Client, url: str, wanted: None) -> None:
    page = client.get(url).content.decode()
    assert "Set one up" in page
    refused = client.post(url, signing_form(page))
    assert refused.status_code == 422
    assert "set one up first" in refused.content.decode()
