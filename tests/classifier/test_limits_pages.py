"""The pages of the laboratory's limits."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from classifier.models import CriticalLimit

SignIn = Callable[[User], Client]

INDEX = reverse("classifier:limits")
NEW = reverse("classifier:limit_new", args=["critical"])


def form(**changed: Any) -> dict[str, Any]:
    values = {
        "analyte": "neutrophil",
        "rule": "outside",
        "quantity": "absolute",
        "low": "0.8",
        "high": "",
        "known_days": "",
        "sex": "",
        "age_unit": "years",
        "from_age": "0",
        "to_age": "",
        "source": "Our own data",
        "effective_from": timezone.localdate().isoformat(),
    }
    return values | changed


@pytest.fixture
def office(client_for: SignIn, administrator: User) -> Client:
    return client_for(administrator)


@pytest.fixture
def desk(client_for: SignIn, pathologist: User) -> Client:
    return client_for(pathologist)


def test_lists_what_is_in_force_and_that_nobody_approved_it(desk: Client) -> None:
    page = desk.get(INDEX).content.decode()
    for words in (
        "below 0.5 or above 50 × 10⁹/L",  # noqa: RUF001
        "any such cell named by a human; known for 90 days after a report",
        "more than 50 % within 72 h",
        "Not approved",
    ):
        assert words in page


def test_the_number_of_queries_does_not_grow_with_the_versions(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    desk.get(INDEX)
    with django_assert_max_num_queries(12):
        desk.get(INDEX)


def test_a_proposal_goes_from_the_administrator_to_the_pathologist(
    office: Client, desk: Client
) -> None:
    response = office.post(NEW, form())
    assert response.status_code == 302
    limit = CriticalLimit.objects.get(version=2, analyte="neutrophil")
    page = office.get(response["Location"]).content.decode()
    assert "Proposed by Ada Administrator" in page
    assert "Approve in my name" in desk.get(response["Location"]).content.decode()
    desk.post(reverse("classifier:limit_approve", args=["critical", limit.pk]))
    page = desk.get(INDEX).content.decode()
    assert "below 0.8 × 10⁹/L" in page  # noqa: RUF001
    assert "Paul Pathologist, MD" in page
    history = desk.get(response["Location"]).content.decode()
    assert "Version 2 was approved." in history


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"low": ""}, "lower limit, an upper limit, or both"),
        ({"low": "5", "high": "4"}, "must lie above"),
        ({"quantity": ""}, "Say what the limit is of"),
        ({"analyte": "wbc", "quantity": "percent"}, "absolute limits only"),
        ({"rule": "seen"}, "there is no limit"),
        ({"rule": "seen", "low": "", "analyte": "wbc"}, "Only classes of leukocytes"),
        ({"from_age": "5", "to_age": "5"}, "higher age"),
        ({"effective_from": "2020-01-01"}, "today or a later day"),
        ({"known_days": "30"}, "Only for the rule"),
    ],
)
def test_says_in_words_what_contradicts_itself(
    office: Client, changed: dict[str, str], sentence: str
) -> None:
    response = office.post(NEW, form(**changed))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not CriticalLimit.objects.filter(version=2).exists()


@pytest.mark.parametrize("kind", ["reference", "delta"])
def test_other_kinds_are_proposed_from_the_version_there_is(office: Client, kind: str) -> None:
    page = office.get(INDEX).content.decode()
    assert reverse("classifier:limit_new", args=[kind]) in page
    address = reverse("classifier:limit_new", args=[kind])
    assert office.get(address).status_code == 200
    values = {
        "reference": {
            "analyte": "neutrophil",
            "quantity": "absolute",
            "low": "1.8",
            "high": "7.8",
            "age_unit": "years",
            "from_age": "16",
        },
        "delta": {"analyte": "wbc", "percent": "40", "window_hours": "72"},
    }[kind]
    rest = {"source": "Ours", "effective_from": timezone.localdate().isoformat()}
    assert office.post(address, values | rest).status_code == 302


def test_retires_for_a_reason(desk: Client) -> None:
    limit = CriticalLimit.objects.get(analyte="platelet")
    address = reverse("classifier:limit_retire", args=["critical", limit.pk])
    desk.post(address, {"reason": ""})
    limit.refresh_from_db()
    assert limit.retired_on is None
    desk.post(address, {"reason": "No estimates here"})
    limit.refresh_from_db()
    assert limit.retired_on == timezone.localdate()


def test_the_printed_list_says_what_nobody_approved(desk: Client) -> None:
    page = desk.get(reverse("classifier:limits_printed")).content.decode()
    assert "not approved" in page
    assert "Read by" in page
