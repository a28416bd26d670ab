"""Two people on one case: who is here, and what they said meanwhile."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.models import Case, Presence
from classifier.selectors.presence import initials_of
from classifier.services import corrections, reviews
from classifier.services.presence import forget_presence, note_presence
from tests.factories import UserFactory
from tests.reviewing import MakeCase, cells_of

ClientFor = Callable[[User], Client]
Correct = Callable[..., Any]


@pytest.fixture
def case(classified_case: MakeCase) -> Case:
    return classified_case(["neutrophil", "lymphocyte", "monocyte"], in_review=True)


@pytest.fixture
def colleague(db: None) -> User:
    return UserFactory.create(role=Role.PATHOLOGIST, full_name="Carla Maria Colleague", title="MD")


def ask(client: Client, case: Case, known: int = 0, **headers: str) -> Any:
    url = reverse("classifier:review_presence", args=[case.pk])
    return client.get(url, {"known": known}, headers=headers)


def test_two_people_see_each_other_and_who_reviews(
    case: Case, pathologist: User, colleague: User, client_for: ClientFor
) -> None:
    reviewer, onlooker = client_for(pathologist), client_for(colleague)
    assert ask(reviewer, case).json()["people"] == []
    (seen,) = ask(onlooker, case).json()["people"]
    assert (seen["name"], seen["initials"], seen["doing"]) == (
        "Paul Pathologist, MD",
        "PP",
        "reviewing",
    )
    (seen,) = ask(reviewer, case).json()["people"]
    assert (seen["name"], seen["doing"]) == ("Carla Maria Colleague, MD", "looking")


def test_who_was_not_heard_of_for_half_a_minute_has_left(
    case: Case, pathologist: User, colleague: User, client_for: ClientFor
) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        note_presence(case=case, actor=colleague)
    with time_machine.travel(now + timedelta(seconds=29), tick=False):
        assert len(ask(client_for(pathologist), case).json()["people"]) == 1
    with time_machine.travel(now + timedelta(seconds=31), tick=False):
        assert ask(client_for(pathologist), case).json()["people"] == []


def test_presence_is_written_at_most_every_ten_seconds(case: Case, colleague: User) -> None:
    now = timezone.now()
    written = []
    for seconds in (0, 5, 9, 10, 14, 60):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            note_presence(case=case, actor=colleague)
        row = Presence.objects.get()
        written.append((round((row.seen_at - now).total_seconds()), row.since == now))
    # After a minute away she comes anew.
    assert written == [(0, True), (0, True), (0, True), (10, True), (10, True), (60, False)]


def test_being_at_a_case_takes_no_lock_and_leaves_no_audit(
    case: Case, colleague: User, client_for: ClientFor, django_assert_max_num_queries: Any
) -> None:
    client = client_for(colleague)
    ask(client, case)
    before = AuditEvent.objects.count()
    with django_assert_max_num_queries(9) as queries:
        ask(client, case)
    assert AuditEvent.objects.count() == before
    assert not [each for each in queries.captured_queries if "FOR UPDATE" in each["sql"]]


def test_what_a_colleague_named_is_told_once(
    case: Case, colleague: User, client_for: ClientFor, correct: Correct
) -> None:
    client = client_for(colleague)
    start = ask(client, case).json()["last"]
    correct(case, [0, 2], "blast")
    told = ask(client, case, start).json()
    (change,) = told["changes"]
    assert (change["by"], change["verb"], change["own"]) == ("Paul Pathologist, MD", "named", False)
    assert set(change["cells"]) == {str(cells_of(case)[place].pk) for place in (0, 2)}
    assert {cell["finding"] for cell in told["cells"]} == {"blast"}
    assert ask(client, case, told["last"]).json()["changes"] == []


def test_an_undo_is_a_change_and_ones_own_steps_are_marked(
    case: Case, pathologist: User, client_for: ClientFor, correct: Correct
) -> None:
    correct(case, [0], "blast")
    corrections.undo_last(case_id=case.pk, actor=pathologist, action_id=uuid.uuid4())
    (change,) = ask(client_for(pathologist), case).json()["changes"]
    assert (change["own"], change["verb"]) == (True, "changed")


def test_when_nothing_happened_the_answer_is_empty(
    case: Case, colleague: User, client_for: ClientFor, correct: Correct
) -> None:
    client = client_for(colleague)
    etag = ask(client, case)["ETag"]
    unchanged = ask(client, case, **{"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    correct(case, [0], "blast")
    assert ask(client, case, **{"If-None-Match": etag}).status_code == 200


def test_the_page_hears_that_the_case_moved_on(
    case: Case, pathologist: User, colleague: User, client_for: ClientFor
) -> None:
    client = client_for(colleague)
    before = ask(client, case).json()["stage"]
    reviews.release(case_id=case.pk, actor=pathologist)
    assert ask(client, case).json()["stage"] != before


def test_many_changes_cost_as_many_queries_as_one(
    case: Case,
    colleague: User,
    client_for: ClientFor,
    correct: Correct,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    correct(case, [0, 1, 2], "blast")
    client = client_for(colleague)
    ask(client, case)
    with django_assert_max_num_queries(12):
        assert len(ask(client, case).json()["cells"]) == 3


@pytest.mark.parametrize(("role", "status"), [("technician", 200), ("learner", 403)])
def test_readers_of_patients_records_may_ask(
    case: Case, client_for: ClientFor, request: pytest.FixtureRequest, role: str, status: int
) -> None:
    client = client_for(request.getfixturevalue(role))
    assert ask(client, case).status_code == status
    case.pk = uuid.uuid4()
    assert ask(client, case).status_code == (404 if status == 200 else 403)


def test_what_is_known_is_a_number(case: Case, technician: User, client_for: ClientFor) -> None:
    url = reverse("classifier:review_presence", args=[case.pk])
    assert client_for(technician).get(url, {"known": "all"}).status_code == 400


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Leila Haddad", "LH"), ("Carla Maria Colleague", "CC"), ("Cher", "C"), ("", "")],
)
def test_initials_are_two_letters_at_most(name: str, initials: str) -> None:
    assert initials_of(name) == initials


def test_who_was_there_more_than_a_day_ago_is_forgotten(
    case: Case, pathologist: User, colleague: User
) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=25), tick=False):
        note_presence(case=case, actor=pathologist)
    with time_machine.travel(timezone.now() - timedelta(hours=23), tick=False):
        note_presence(case=case, actor=colleague)
    assert forget_presence() == 1
    assert Presence.objects.get().user == colleague
    assert forget_presence() == 0
