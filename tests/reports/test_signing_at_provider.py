"""Signing by somebody who came from the identity provider: confirmed there, for this signature."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client

from accounts.models import AuditEvent, IdentityLink, User
from classifier.models import Case
from reports.models import Report, WithdrawalRequest
from tests.accounts.factors import code_of, demand, give_app
from tests.identity_provider import NAME, IdentityProvider, arrive, said
from tests.reports.conftest import Sign
from tests.reports.pages import ClientFor, address
from tests.reports.test_signing_page import signing_form


@pytest.fixture
def client(provider: IdentityProvider, pathologist: User) -> Client:
    """The browser of a pathologist who signed in at the provider."""
    IdentityLink.objects.create(
        user=pathologist, issuer=provider.url, subject="paul", origin="owner"
    )
    provider.knows("paul", pathologist.email)
    browser = Client()
    provider.sign_in(browser, "paul")
    return browser


@pytest.fixture
def url(ready_case: Case) -> str:
    return address("sign_off", ready_case)


def form_on(client: Client, url: str, **changed: Any) -> dict[str, Any]:
    """Return what a browser would send of the page as it stands: no password is asked."""
    page = client.get(url).content.decode()
    assert 'name="password"' not in page
    form = signing_form(page, **changed)
    del form["password"]
    return form


def failures() -> list[str]:
    events = AuditEvent.objects.filter(action="user.reauthentication_failed").order_by("at")
    return [(event.after or {})["single_sign_on"] for event in events]


def test_who_came_from_the_provider_signs_in_there_anew_and_then_signs(
    client: Client, url: str, provider: IdentityProvider, pathologist: User
) -> None:
    form = form_on(client, url, meaning="review", password="anything")
    going = client.post(url, form)
    asked = parse_qs(urlsplit(going.context["address"]).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert not Report.objects.exists()

    assert provider.come_back(client, going, "paul")["Location"] == url
    page = client.get(url)
    assert f"Confirmed with {NAME}" in said(page)
    assert page.context["form"]["meaning"].value() == "review"
    assert client.post(url, form).status_code == 302

    signature = Report.objects.get().sign_off
    assert (signature.signer, signature.reauthenticated_by) == (pathologist, "sso")
    assert AuditEvent.objects.filter(action="sso.confirmed", actor=pathologist).count() == 1


def test_the_password_signs_nothing_in_such_a_session(client: Client, url: str) -> None:
    page = client.get(url).content.decode()
    assert client.post(url, signing_form(page)).status_code == 200
    assert not Report.objects.exists()


def test_a_confirmation_holds_for_what_the_form_said_and_once(
    client: Client, url: str, provider: IdentityProvider
) -> None:
    form = form_on(client, url)
    provider.come_back(client, client.post(url, form), "paul")
    changed = client.post(url, form | {"meaning": "authorship"})
    assert "address" in changed.context
    assert not Report.objects.exists()
    # What was confirmed before is void: the change has to be confirmed now.
    assert "address" in client.post(url, form).context
    assert not Report.objects.exists()


def test_a_confirmation_grows_old(client: Client, url: str, provider: IdentityProvider) -> None:
    form = form_on(client, url)
    provider.come_back(client, client.post(url, form), "paul")
    with time_machine.travel(time.time() + 301, tick=True):
        assert "address" in client.post(url, form).context
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    ("subject", "claims", "why"),
    [
        ("colin", {}, "another person"),
        ("paul", {"auth_time": int(time.time()) - 3600}, "not signed in anew at the provider"),
        ("paul", {"auth_time": None}, "not signed in anew at the provider"),
        ("paul", {"nonce": "another"}, "token: not for this attempt"),
    ],
)
def test_whoever_is_not_confirmed_signs_nothing_and_keeps_what_was_entered(
    client: Client,
    url: str,
    provider: IdentityProvider,
    subject: str,
    claims: dict[str, Any],
    why: str,
) -> None:
    provider.knows(subject, "paul@x.example", **claims)
    form = form_on(client, url, meaning="authorship")
    assert provider.come_back(client, client.post(url, form), subject)["Location"] == url
    page = client.get(url)
    assert "Nothing was signed." in said(page)
    assert page.context["form"]["meaning"].value() == "authorship"
    assert failures() == [why]
    assert "address" in client.post(url, form).context
    assert not Report.objects.exists()


def test_turning_back_at_the_provider_signs_nothing(
    client: Client, url: str, provider: IdentityProvider
) -> None:
    going = client.post(url, form_on(client, url))
    arrive(client, provider.deny(going.context["address"]))
    assert failures() == ["the provider says access_denied"]
    assert not Report.objects.exists()


def test_a_provider_that_is_away_is_said_and_signs_nothing(
    client: Client, url: str, settings: Any
) -> None:
    form = form_on(client, url)
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    assert client.post(url, form)["Location"] == url
    assert "can't be reached. Nothing was signed" in said(client.get(url))
    assert not Report.objects.exists()


def test_the_providers_second_factor_counts_where_the_laboratory_takes_it(
    client: Client, url: str, provider: IdentityProvider, administrator: User, pathologist: User
) -> None:
    demand(administrator, signing_needs_second_factor=True, provider_factors=("otp",))
    provider.knows("paul", pathologist.email, amr=["pwd", "otp"])
    form = form_on(client, url)
    provider.come_back(client, client.post(url, form), "paul")
    assert client.post(url, form).status_code == 302
    assert Report.objects.get().sign_off.reauthenticated_by == "sso_factor"


def test_otherwise_the_local_one_is_asked_for(
    client: Client, url: str, provider: IdentityProvider, administrator: User, pathologist: User
) -> None:
    demand(administrator, signing_needs_second_factor=True)
    secret = give_app(pathologist)
    form = form_on(client, url)
    provider.come_back(client, client.post(url, form), "paul")
    assert 'name="code"' in client.get(url).content.decode()
    assert client.post(url, form | {"code": "000000"}).status_code == 422
    assert not Report.objects.exists()
    assert client.post(url, form | {"code": code_of(secret)}).status_code == 302
    assert Report.objects.get().sign_off.reauthenticated_by == "sso_code"


def test_asking_for_a_withdrawal_is_confirmed_alike_and_keeps_its_reason(
    client: Client, provider: IdentityProvider, ready_case: Case, sign: Sign, pathologist: User
) -> None:
    report = sign(ready_case)
    url = address("report_withdraw", ready_case, report)
    shown = client.get(url).context["form"]
    form = {"request_id": shown.initial["request_id"], "reason": "Blood of the wrong patient"}
    provider.come_back(client, client.post(url, form), "paul")
    assert "Blood of the wrong patient" in said(client.get(url))
    assert client.post(url, form).status_code == 302
    assert WithdrawalRequest.objects.get().reauthenticated_by == "sso"


def test_a_colleague_with_a_password_signs_as_before(
    provider: IdentityProvider, pathologist: User, client_for: ClientFor, url: str
) -> None:
    client = client_for(pathologist)
    client.post(url, signing_form(client.get(url).content.decode()))
    assert Report.objects.get().sign_off.reauthenticated_by == "password"
