"""Critical results told, and explanations asked for, by program."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.enums import Role
from classifier.models import Case, CriticalCall, Explanation
from tests.api.conftest import Program
from tests.api.sending import post
from tests.explaining import FakeExplainer, work
from tests.factories import UserFactory
from tests.reviewing import MakeCase, cells_of

CountedCase = Callable[..., Case]
TOLD = {"outcome": "read_back", "recipient_name": "Dr. Rossi", "recipient_role": "Ward 3"}


@pytest.fixture
def critical_case(counted_case: CountedCase) -> Case:
    """One neutrophil in ten cells of a low white count."""
    return counted_case("1.0", ["neutrophil"] + ["lymphocyte"] * 9)


@pytest.fixture
def read_case(classified_case: MakeCase) -> Case:
    return classified_case(["neutrophil"])


def read(client: Client, case: Case) -> Any:
    return client.get(f"/api/v1/cases/{case.pk}/critical").json()


def call(client: Client, case: Case, key: str = "", **changes: Any) -> Any:
    body = TOLD | {"snapshot": read(client, case)["open"]["snapshot"]} | changes
    return post(client, f"cases/{case.pk}/critical/calls", body, key)


def test_what_is_critical_is_told_and_written_down(tess: Client, critical_case: Case) -> None:
    state = read(tess, critical_case)["open"]
    assert state["untold"] == state["findings"] != []
    assert (state["is_settled"], state["due_at"] is None) == (False, False)
    assert [one["id"] for one in tess.get("/api/v1/cases?critical=untold").json()["results"]] == [
        str(critical_case.pk)
    ]
    told = call(tess, critical_case)
    assert (told.status_code, told.json()["open"]["is_settled"]) == (201, True)
    (made,) = told.json()["alerts"][0]["calls"]
    assert (made["recipient_name"], made["outcome"]) == ("Dr. Rossi", "read_back")
    assert tess.get("/api/v1/cases?critical=untold").json()["results"] == []


def test_a_call_is_one_call(tess: Client, critical_case: Case) -> None:
    key = str(uuid.uuid4())
    first = call(tess, critical_case, key)
    assert call(tess, critical_case, key).json() == first.json()
    assert CriticalCall.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"outcome": "fine"}, 422),
        ({"recipient_name": ""}, 422),
        ({"outcome": "failed"}, 422),
        ({"called_at": "2999-01-01T00:00:00Z"}, 422),
        ({"called_at": "2020-01-01T00:00:00Z"}, 422),
        ({"note": "x" * 501}, 422),
        ({"caller": "me"}, 422),
        ({"snapshot": "0" * 64}, 409),
    ],
)
def test_a_call_that_cannot_be_is_refused(
    tess: Client, critical_case: Case, change: dict[str, Any], status: int
) -> None:
    assert call(tess, critical_case, **change).status_code == status
    assert not CriticalCall.objects.exists()


def test_a_case_without_critical_results_has_no_calls(tess: Client, read_case: Case) -> None:
    assert read(tess, read_case) == {"open": None, "alerts": []}
    body = TOLD | {"snapshot": "0" * 64}
    assert post(tess, f"cases/{read_case.pk}/critical/calls", body).status_code == 422


def test_who_records_no_calls_records_none(critical_case: Case, program: Program) -> None:
    administrator = program(UserFactory.create(role=Role.ADMINISTRATOR))
    assert call(administrator, critical_case).status_code == 403


def test_a_cell_is_explained(tess: Client, read_case: Case, explainer: FakeExplainer) -> None:
    cell = cells_of(read_case)[0]
    asked = post(tess, f"cells/{cell.pk}/explanations", {"cell_type": "neutrophil"})
    assert asked.status_code == 202
    assert {each["method"] for each in asked.json()["results"]} == {"gradcam", "gradcam++"}
    where = f"/api/v1/explanations/{asked.json()['results'][0]['id']}"
    assert tess.get(f"{where}/heat.webp").status_code == 404
    work()
    told = tess.get(where).json()
    assert (told["status"], told["has_heat"], told["model"]) == ("done", True, "fake 0.0.0")
    layer: Any = tess.get(f"{where}/heat.webp")
    assert b"".join(layer.streaming_content)[8:12] == b"WEBP"
    assert tess.get(f"{where}/file.webp").status_code == 404
    listed = tess.get(f"/api/v1/cells/{cell.pk}/explanations").json()["results"]
    assert len(listed) == 2
    again = post(tess, f"cells/{cell.pk}/explanations", {"cell_type": "neutrophil"}).json()
    assert [each["status"] for each in again["results"]] == ["done", "done"]


def test_an_explanation_is_stopped_once(
    tess: Client, read_case: Case, explainer: FakeExplainer
) -> None:
    cell, key = cells_of(read_case)[0], str(uuid.uuid4())
    body = {"cell_type": "neutrophil", "methods": ["lime"]}
    (asked,) = post(tess, f"cells/{cell.pk}/explanations", body).json()["results"]
    where = f"explanations/{asked['id']}/stop"
    first = post(tess, where, {}, key)
    assert first.json()["status"] == "cancelled"
    assert post(tess, where, {}, key).json() == first.json()
    assert Explanation.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"cell_type": "lizard"},
        {"cell_type": "smudge_cell"},
        {"cell_type": "neutrophil", "methods": []},
        {"cell_type": "neutrophil", "methods": ["divination"]},
        {"cell_type": "neutrophil", "method": "lime"},
    ],
)
def test_a_question_that_cannot_be_is_refused(
    tess: Client, read_case: Case, body: dict[str, Any]
) -> None:
    cell = cells_of(read_case)[0]
    assert post(tess, f"cells/{cell.pk}/explanations", body).status_code == 422
    assert not Explanation.objects.exists()
