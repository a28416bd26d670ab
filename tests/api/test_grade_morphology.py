"""Graded morphology by program: by count, by eye, taken back, the rest absent."""

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import User
from classifier.models import Case, MorphologyFinding
from tests.api.conftest import Program
from tests.api.sending import post
from tests.factories import UserFactory
from tests.reviewing import MakeCase

STEPS = {
    "grades": {"feature": "target_cells", "grade": 2},
    "withdrawals": {"feature": "target_cells"},
    "absences": {"line": "red"},
}


@pytest.fixture
def open_case(classified_case: MakeCase) -> Case:
    return classified_case(["neutrophil"], in_review=True)


@pytest.fixture
def paul(pathologist: User, program: Program) -> Client:
    return program(pathologist)


def send(client: Client, case: Case, step: str, body: Any, key: str = "", **headers: str) -> Any:
    return post(client, f"cases/{case.pk}/review/morphology/{step}", body, key, **headers)


def features(answer: Any) -> dict[str, Any]:
    return {each["code"]: each for line in answer.json()["lines"] for each in line["features"]}


def test_a_count_is_graded_by_the_cut_offs_in_force(paul: Client, open_case: Case) -> None:
    told = send(paul, open_case, "grades", {"feature": "target_cells", "count": "7.5"})
    graded = features(told)["target_cells"]["finding"]
    assert (graded["grade"], graded["count"], graded["is_overruled"]) == (2, "7.50", False)
    assert graded["graded_by"] == "Paul Pathologist"
    assert paul.get(f"/api/v1/cases/{open_case.pk}/morphology").json() == told.json()


def test_a_grade_overrules_and_is_taken_back(paul: Client, open_case: Case) -> None:
    said = {"feature": "target_cells", "count": "7.5", "grade": 3, "comment": "Many."}
    graded = features(send(paul, open_case, "grades", said))["target_cells"]["finding"]
    assert (graded["grade"], graded["is_overruled"]) == (3, True)
    told = send(paul, open_case, "withdrawals", {"feature": "target_cells"})
    assert features(told)["target_cells"]["finding"] is None


def test_the_rest_of_a_line_is_normal(paul: Client, open_case: Case) -> None:
    told = send(paul, open_case, "absences", {"line": "red"}).json()
    assert [line["is_normal"] for line in told["lines"]] == [True, False, False]


@pytest.mark.parametrize("step", STEPS)
def test_is_done_once_and_only_on_what_was_seen(paul: Client, open_case: Case, step: str) -> None:
    send(paul, open_case, "grades", {"feature": "target_cells", "grade": 3})
    tag = {"If-Match": paul.get(f"/api/v1/cases/{open_case.pk}/morphology")["ETag"]}
    key = str(uuid.uuid4())
    first = send(paul, open_case, step, STEPS[step], key, **tag)
    rows = MorphologyFinding.objects.count()
    again = send(paul, open_case, step, STEPS[step], key, **tag)
    assert (first.status_code, again.json()) == (200, first.json())
    assert send(paul, open_case, step, STEPS[step], **tag).status_code == 412
    assert MorphologyFinding.objects.count() == rows


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("grades", {"feature": "wings", "grade": 1}),
        ("grades", {"feature": "target_cells"}),
        ("grades", {"feature": "target_cells", "grade": 4}),
        ("grades", {"feature": "target_cells", "grade": "2"}),
        ("grades", {"feature": "target_cells", "count": 7.5}),
        ("grades", {"feature": "target_cells", "count": "100.01"}),
        ("grades", {"feature": "target_cells", "grade": 1, "comment": "x" * 251}),
        ("withdrawals", {"code": "target_cells"}),
        ("absences", {"line": "green"}),
    ],
)
def test_what_cannot_be_is_refused(
    paul: Client, open_case: Case, step: str, body: dict[str, Any]
) -> None:
    assert send(paul, open_case, step, body).status_code == 422
    assert not MorphologyFinding.objects.exists()


@pytest.mark.parametrize("step", STEPS)
def test_only_who_has_the_case_open_grades(
    open_case: Case, technician: User, program: Program, step: str
) -> None:
    for owner in (technician, UserFactory.create(role=Role.PATHOLOGIST)):
        assert send(program(owner), open_case, step, STEPS[step]).status_code == 403
    assert not MorphologyFinding.objects.exists()
