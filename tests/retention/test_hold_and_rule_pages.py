"""The pages of retention rules and legal holds."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.models import Case, LegalHold
from retention.models import RetentionRule
from tests.pages import words_of
from tests.restricting import restrict
from tests.retention.steps import hold, rule, rule_values

SignIn = Callable[[User], Client]
INDEX = reverse("retention:rules")


@pytest.fixture
def office(client_for: SignIn, administrator: User) -> Client:
    return client_for(administrator)


def test_says_that_nothing_is_disposed_of_without_a_rule(office: Client) -> None:
    page = words_of(office.get(INDEX))
    assert "Nothing is ever disposed of" in page
    assert page.count("Kept without end") == 8


def test_a_rule_goes_from_form_to_approval(
    office: Client, client_for: SignIn, pathologist: User
) -> None:
    values = rule_values(minimum=2, minimum_source="42 CFR 493.1105")
    answer = office.post(reverse("retention:rule_new"), values)
    proposed = RetentionRule.objects.get()
    assert answer.headers["Location"] == proposed.get_absolute_url()
    assert "You proposed this version" in words_of(office.get(proposed.get_absolute_url()))
    desk = client_for(pathologist)
    assert "Approve in my name" in words_of(desk.get(proposed.get_absolute_url()))
    desk.post(reverse("retention:rule_approve", args=[proposed.pk]))
    page = words_of(office.get(INDEX))
    assert "10 years from signing of the last version" in page
    assert "42 CFR 493.1105" in page
    assert page.count("Kept without end") == 7


def test_a_new_version_starts_with_the_words_of_the_last(
    office: Client, administrator: User, keeper: User
) -> None:
    last = rule(administrator, keeper)
    page = words_of(office.get(reverse("retention:rule_new"), {"from": last.pk}))
    assert "Policy 7 of the laboratory" in page
    empty = words_of(office.get(reverse("retention:rule_new")))
    assert "Policy 7" not in empty


def test_a_wrong_form_keeps_what_was_typed(office: Client) -> None:
    answer = office.post(reverse("retention:rule_new"), rule_values(minimum=12, keep_for=5))
    assert answer.status_code == 422
    assert "shorter than the least of 12 years" in words_of(answer)
    assert "Policy 7 of the laboratory" in words_of(answer)


def test_a_rule_is_withdrawn_for_a_reason(office: Client, administrator: User) -> None:
    office.post(reverse("retention:rule_new"), rule_values(minimum=""))
    proposed = RetentionRule.objects.get()
    address = reverse("retention:rule_retire", args=[proposed.pk])
    assert "Give a reason" in words_of(office.post(address, {"reason": ""}, follow=True))
    assert "Withdrawn" in words_of(office.post(address, {"reason": "Mistyped."}, follow=True))


@pytest.mark.parametrize("kind", ["patient", "case"])
def test_a_hold_is_put_from_the_page_of_a_record(
    office: Client, client_for: SignIn, technician: User, case: Case, kind: str
) -> None:
    held = case if kind == "case" else case.patient
    assert "Legal hold…" in words_of(office.get(held.get_absolute_url()))
    values = {"hold_id": str(uuid.uuid4()), "reference": "3 O 12/26", "reason": "A claim."}
    address = reverse(f"classifier:{kind}_hold", args=[held.pk])
    for _ in range(2):
        office.post(address, values)
    put = LegalHold.objects.get()
    assert getattr(put, kind) == held
    seen = words_of(office.get(held.get_absolute_url()))
    assert "3 O 12/26" in seen
    others = words_of(client_for(technician).get(case.get_absolute_url()))
    assert "Nothing of this record may be removed" in others
    assert "3 O 12/26" not in others


def test_a_hold_is_lifted_by_somebody_else_with_a_reason(
    office: Client, client_for: SignIn, keeper: User, administrator: User, case: Case
) -> None:
    put = hold(administrator, case)
    assert "somebody else has to lift it" in words_of(office.get(put.get_absolute_url()))
    second = client_for(keeper)
    address = reverse("classifier:legal_hold_lift", args=[put.pk])
    assert second.post(address, {"reason": ""}).status_code == 422
    page = words_of(second.post(address, {"reason": "Settled by judgement."}, follow=True))
    assert "Settled by judgement." in page
    assert "Nothing of this record" not in words_of(second.get(case.get_absolute_url()))
    assert "lifted" in words_of(second.get(reverse("classifier:legal_holds")))


def test_the_list_names_no_patient_and_says_when_it_is_empty(
    office: Client, administrator: User, case: Case
) -> None:
    address = reverse("classifier:legal_holds")
    assert "Nothing is held" in words_of(office.get(address))
    hold(administrator, case.patient)
    page = words_of(office.get(address))
    assert "whole record" in page
    assert case.patient.family_name not in page


def test_a_restricted_record_under_hold_is_not_named(
    office: Client, administrator: User, case: Case
) -> None:
    put = hold(administrator, case.patient)
    restrict(administrator, case.patient)
    page = words_of(office.get(put.get_absolute_url()))
    assert "Restricted record" in page
    assert case.patient.mrn not in page
