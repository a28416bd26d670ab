"""Critical results on the pages: banner, form of a call, worklist, what holds the signature up."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case, CriticalAlert, CriticalCall
from classifier.selectors import worklists
from tests.criticals import Call, alert_of

SignIn = Callable[[User], Client]
Counted = Callable[..., Case]

FEW = ["lymphocyte"] * 9 + ["neutrophil"]


@pytest.fixture
def critical_case(counted_case: Counted) -> Case:
    return counted_case("4.0", FEW, in_review=True)


def address(name: str, case: Case) -> str:
    return reverse(f"classifier:{name}", args=[case.pk])


def form(case: Case, **changed: Any) -> dict[str, Any]:
    values = {
        "call_id": uuid.uuid4(),
        "snapshot": alert_of(case).snapshots.latest("pk").sha256,
        "recipient_name": "Dr. Rossi",
        "recipient_role": "Physician",
        "channel": "phone",
        "outcome": "read_back",
        "from": "review",
    }
    return values | changed


def test_the_banner_says_what_which_limit_and_how_long(
    critical_case: Case, client_for: SignIn, pathologist: User
) -> None:
    client = client_for(pathologist)
    for name in ("review", "case_detail", "critical", "critical_banner"):
        page = client.get(address(name, critical_case)).content.decode()
        for words in (
            "Neutrophil 0.40 × 10⁹/L",  # noqa: RUF001
            "critical below 0.5",
            "limit version 1",
            "limit not approved",
            "call due in 30 min",
        ):
            assert words in page, name
    assert "Critical low" in client.get(address("review", critical_case)).content.decode()


def test_before_review_it_says_not_yet_confirmed(
    counted_case: Counted, client_for: SignIn, technician: User
) -> None:
    case = counted_case("4.0", FEW)
    page = client_for(technician).get(address("case_detail", case)).content.decode()
    assert "not yet confirmed" in page


@pytest.mark.parametrize("who", ["technician", "pathologist"])
def test_a_call_is_recorded_and_leads_back(
    request: pytest.FixtureRequest, critical_case: Case, client_for: SignIn, who: str
) -> None:
    client = client_for(request.getfixturevalue(who))
    response = client.post(address("critical", critical_case), form(critical_case))
    assert response["Location"] == address("review", critical_case)
    assert CriticalCall.objects.get().recipient_name == "Dr. Rossi"
    page = client.get(address("critical", critical_case)).content.decode()
    assert "Told and read back" in page


def test_administrators_see_but_record_nothing(
    critical_case: Case, client_for: SignIn, administrator: User
) -> None:
    client = client_for(administrator)
    assert "Record the call" not in client.get(address("critical", critical_case)).content.decode()
    response = client.post(address("critical", critical_case), form(critical_case))
    assert response.status_code == 403


def test_what_is_missing_is_said_and_nothing_typed_is_lost(
    critical_case: Case, client_for: SignIn, pathologist: User
) -> None:
    client = client_for(pathologist)
    for changed, sentence in (
        ({"outcome": ""}, "This field is required"),
        ({"recipient_role": ""}, "Say who was told"),
        ({"outcome": "failed"}, "Give the reason"),
    ):
        response = client.post(
            address("critical", critical_case), form(critical_case, note="Ward 3", **changed)
        )
        page = response.content.decode()
        assert response.status_code == 422
        assert sentence in page
        assert "Ward 3" in page
    assert not CriticalCall.objects.exists()


def test_the_review_page_offers_to_sign_only_what_was_told(
    critical_case: Case, client_for: SignIn, pathologist: User, call: Call
) -> None:
    client = client_for(pathologist)
    page = client.get(address("review", critical_case)).content.decode()
    assert "A critical result was not told yet" in page
    call(critical_case)
    page = client.get(address("review", critical_case)).content.decode()
    assert reverse("reports:sign_off", args=[critical_case.pk]) in page


def test_nothing_critical_says_so(
    counted_case: Counted, client_for: SignIn, pathologist: User
) -> None:
    case = counted_case("7.0", FEW)
    page = client_for(pathologist).get(address("critical", case)).content.decode()
    assert "Nothing is critical" in page


class TestWorklist:
    def test_untold_cases_stand_first_within_their_priority(
        self, critical_case: Case, pathologist: User, technician: User, client_for: SignIn
    ) -> None:
        older = Case.objects.create(
            accession_number="HV26-999999X",
            patient=critical_case.patient,
            registered_by=technician,
            status=CaseStatus.AWAITING_REVIEW,
        )
        Case.objects.filter(pk=older.pk).update(registered_at=timezone.now() - timedelta(hours=9))
        assert list(worklists.list_cases(pathologist, "review")) == [critical_case, older]
        Case.objects.filter(pk=older.pk).update(priority="stat")
        assert list(worklists.list_cases(pathologist, "review")) == [older, critical_case]
        assert list(worklists.list_cases(pathologist, "critical")) == [critical_case]
        page = client_for(pathologist).get(reverse("classifier:worklist")).content.decode()
        assert "call due in 30 min" in page

    def test_what_was_passed_on_stands_above_all(
        self, critical_case: Case, pathologist: User, technician: User
    ) -> None:
        Case.objects.create(
            accession_number="HV26-999999X",
            patient=critical_case.patient,
            registered_by=technician,
            status=CaseStatus.AWAITING_REVIEW,
            priority="stat",
        )
        now = timezone.now()
        CriticalAlert.objects.update(waiting_since=now - timedelta(hours=2), escalated_at=now)
        first, _ = worklists.list_cases(pathologist, "review")
        assert first == critical_case
        [row] = worklists.describe_cases(pathologist, [first])
        assert row.timer is not None
        assert row.timer.words.startswith("escalated, overdue by 90 min")
