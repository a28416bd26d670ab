"""Letting a consultant see a case for longer, or for less long."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case
from consultation.models import Referral, ReferralTerm
from consultation.services.referrals import withdraw_referral
from consultation.services.terms import change_term
from tests.consultation.conftest import Refer

ClientFor = Callable[[User], Client]


@pytest.fixture
def referral(open_case: Case, refer: Refer) -> Referral:
    return refer(open_case)


@pytest.fixture
def change(referral: Referral, pathologist: User) -> Callable[..., Referral]:
    """Change the term to so many days from today, as the referrer."""

    def make(days: int, **changed: Any) -> Referral:
        values: dict[str, Any] = {
            "actor": pathologist,
            "term_id": uuid.uuid4(),
            "referral": referral,
        }
        return change_term(**values | changed, last_day=day(days))

    return make


def day(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def test_lasts_to_the_end_of_the_day_and_each_change_is_kept(
    change: Callable[..., Referral], referral: Referral, pathologist: User
) -> None:
    before = referral.expires_at
    longer = change(30, reason="On leave").expires_at
    assert timezone.localtime(longer).strftime("%H:%M") == "23:59"
    assert timezone.localdate(longer) == day(30)
    shorter = change(2).expires_at
    first, second = referral.terms.all()
    assert (first.former, first.expires_at, first.is_extension) == (before, longer, True)
    assert (second.former, second.expires_at, second.is_extension) == (longer, shorter, False)
    events = AuditEvent.objects.filter(action="referral.term_changed", actor=pathologist)
    assert [event.reason for event in events.order_by("at")] == ["On leave", ""]


def test_again_is_harmless(change: Callable[..., Referral], referral: Referral) -> None:
    term_id = uuid.uuid4()
    assert change(30, term_id=term_id).expires_at == change(30, term_id=term_id).expires_at
    assert referral.terms.count() == 1


def test_the_id_of_another_change_is_refused(
    change: Callable[..., Referral], refer: Refer, open_case: Case, colleague: User
) -> None:
    term_id = uuid.uuid4()
    change(30, term_id=term_id)
    with pytest.raises(EditConflict):
        change(30, term_id=term_id, referral=refer(open_case, colleague))


@pytest.mark.parametrize(("days", "problem"), [(-1, "is past"), (366, "At most 365 days")])
def test_refuses_days_that_cannot_be(
    change: Callable[..., Referral], days: int, problem: str
) -> None:
    with pytest.raises(GuardFailed, match=problem):
        change(days)


def test_refuses_what_changes_nothing(change: Callable[..., Referral]) -> None:
    change(30)
    with pytest.raises(GuardFailed, match="until then already"):
        change(30)


def test_what_has_ended_is_not_extended(
    change: Callable[..., Referral], referral: Referral, pathologist: User
) -> None:
    withdraw_referral(referral=referral, actor=pathologist, reason="Solved")
    with pytest.raises(GuardFailed, match="has ended"):
        change(30)


def test_only_the_referrer_says_for_how_long(
    change: Callable[..., Referral], colleague: User, administrator: User, consultant: User
) -> None:
    for person in (colleague, administrator, consultant):
        with pytest.raises(NotPermitted):
            change(30, actor=person)


def test_the_history_is_never_changed(change: Callable[..., Referral], referral: Referral) -> None:
    change(30)
    for step in (referral.terms.all().delete, lambda: referral.terms.update(reason="x")):
        with pytest.raises(DatabaseError), transaction.atomic():
            step()


def test_the_form_changes_it_and_the_page_tells_it(
    referral: Referral, pathologist: User, colleague: User, client_for: ClientFor
) -> None:
    client = client_for(pathologist)
    page = reverse("consultation:discussion", args=[referral.case_id])
    address = reverse("consultation:term", args=[referral.pk])
    assert f'action="{address}"' in client.get(page).content.decode()
    assert f'action="{address}"' not in client_for(colleague).get(page).content.decode()
    values = {"term_id": str(uuid.uuid4()), "last_day": day(40).isoformat(), "reason": "Leave"}
    assert client.post(address, values)["Location"] == page
    assert "Extended by Paul Pathologist" in client.get(page).content.decode()
    client.post(address, values | {"last_day": ""})
    assert ReferralTerm.objects.count() == 1
