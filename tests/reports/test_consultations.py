"""The report names who was consulted, and prints their words only if the signer says so."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.models import Case
from classifier.services import reviews
from consultation.models import Referral
from consultation.services.opinions import Words, give_opinion, print_opinion
from consultation.services.referrals import Request, refer_case
from reports.content import ReportContent
from reports.drafting import draft_report
from reports.tabular import render_csv
from tests.reports.conftest import Sign

ClientFor = Callable[[User], Client]


@pytest.fixture
def referral(ready_case: Case, pathologist: User, consultant: User) -> Referral:
    return refer_case(
        case_id=ready_case.pk,
        actor=pathologist,
        referral_id=uuid.uuid4(),
        wanted=Request(consultant.pk, "Are these blasts?"),
    )


def give(referral: Referral, text: str, diagnosis: str = "") -> None:
    give_opinion(
        referral=referral,
        actor=referral.consultant,
        opinion_id=uuid.uuid4(),
        words=Words(text, diagnosis),
    )


def test_a_report_without_consultation_keeps_its_form_and_hash(ready_case: Case) -> None:
    draft = draft_report(ready_case)
    assert "consultations" not in draft.to_json()


def test_who_has_not_answered_is_not_named(ready_case: Case, referral: Referral) -> None:
    assert draft_report(ready_case).consultations == ()


def test_who_answered_is_named_without_words(ready_case: Case, referral: Referral) -> None:
    give(referral, "They are blasts.", "AML")
    draft = draft_report(ready_case)
    [person] = draft.consultations
    assert (person.name, person.is_outside, person.opinions) == ("Cora Consultant", True, ())
    assert "They are blasts" not in render_csv(draft).decode()
    assert draft == draft_report(ready_case)


def test_the_signer_has_the_words_printed(
    ready_case: Case, referral: Referral, pathologist: User, sign: Sign
) -> None:
    give(referral, "They are blasts.", "AML")
    give(referral, "Auer rods in two of them.")
    print_opinion(referral=referral, actor=pathologist, is_printed=True)
    report = sign(ready_case)
    [person] = report.says.consultations
    assert [each.text for each in person.opinions] == [
        "They are blasts.",
        "Auer rods in two of them.",
    ]
    assert ReportContent.from_json(report.content).content_sha256 == report.content_sha256
    table = render_csv(report.says).decode()
    assert "consultation,non_final_opinion,,They are blasts." in table


def test_an_opinion_after_signing_is_a_change_to_correct(
    ready_case: Case, referral: Referral, pathologist: User, sign: Sign
) -> None:
    sign(ready_case)
    give(referral, "They are blasts.")
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason="Opinion came.")
    ready_case.refresh_from_db()
    amendment = draft_report(ready_case).amendment
    assert amendment is not None
    [change] = amendment.changes
    assert (change.item, change.old) == ("Consulted", "not reported")
    assert change.new.startswith("Cora Consultant, ")


def test_the_signing_page_says_that_one_is_pending_and_lets_sign(
    ready_case: Case, referral: Referral, pathologist: User, client_for: ClientFor
) -> None:
    address = reverse("reports:sign_off", args=[ready_case.pk])
    client = client_for(pathologist)
    response = client.get(address)
    assert "An opinion is pending." in response.content.decode()
    assert response.context["problems"] == []


def test_the_tick_stands_on_the_signing_page(
    ready_case: Case, referral: Referral, pathologist: User, client_for: ClientFor
) -> None:
    give(referral, "They <b>are</b> blasts.")
    address = reverse("reports:sign_off", args=[ready_case.pk])
    client = client_for(pathologist)
    assert "They" not in client.get(address).content.decode().split("report-consulted")[1]
    done = client.post(
        reverse("consultation:print", args=[referral.pk]),
        {"print": "yes"},
        headers={"Referer": f"http://testserver{address}"},
    )
    assert done["Location"] == address
    page = client.get(address).content.decode()
    assert "Non-final opinion of Cora Consultant" in page
    assert "They &lt;b&gt;are&lt;/b&gt; blasts." in page
