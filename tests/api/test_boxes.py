"""Boxes on fields by program: read, add, reshape, remove, mark repeats; platelets in clumps."""

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.models import Case, Cell, Correction
from classifier.services import reviews
from tests.api.conftest import Program
from tests.api.sending import post
from tests.factories import UserFactory
from tests.fields import ReadCase, field_pixels, whites_of

STEPS = ("cells", "outlines", "removals", "repeats", "class-acceptances", "platelet-clumps")


@pytest.fixture
def fields_case(read_case: ReadCase, pathologist: User) -> Case:
    case = read_case([field_pixels(7)])
    reviews.open_review(case_id=case.pk, actor=pathologist)
    return case


@pytest.fixture
def paul(pathologist: User, program: Program) -> Client:
    return program(pathologist)


def look(cell: Cell, revision: int = 0) -> dict[str, Any]:
    return {"cell": str(cell.pk), "revision": revision}


def body_of(step: str, case: Case) -> dict[str, Any]:
    """A right body for each step."""
    cell = whites_of(case)[0]
    box = [110, 90, 175, 160]
    bodies: dict[str, dict[str, Any]] = {
        "cells": {"image": str(cell.image_id), "box": [200, 100, 260, 170], "cell_type": "blast"},
        "outlines": look(cell) | {"box": box},
        "removals": {"cells": [look(cell)]},
        "repeats": {"cells": [look(cell)], "repeat": "repeat"},
        "class-acceptances": {"cells": [look(cell)], "cell_type": likeliest(case)},
        "platelet-clumps": {"has_clumps": True},
    }
    return bodies[step]


def likeliest(case: Case) -> str:
    return str(whites_of(case)[0].machine_type)  # type: ignore[attr-defined]


def send(client: Client, case: Case, step: str, body: Any, key: str = "") -> Any:
    return post(client, f"cases/{case.pk}/review/{step}", body, key)


def test_reads_every_cell_of_a_field(paul: Client, fields_case: Case) -> None:
    image = fields_case.images.get()
    found = paul.get(f"/api/v1/images/{image.pk}/cells").json()["results"]
    assert len(found) == Cell.objects.filter(image=image).count()
    assert {cell["detected_as"] for cell in found} == {"leukocyte", "erythrocyte", "platelet"}


def test_a_missed_cell_is_added_under_its_name(paul: Client, fields_case: Case) -> None:
    body = body_of("cells", fields_case)
    (added,) = send(paul, fields_case, "cells", body).json()["cells"]
    assert (added["human"], added["box"]) == ("blast", body["box"])


def test_a_box_is_drawn_anew(paul: Client, fields_case: Case) -> None:
    body = body_of("outlines", fields_case)
    (cell,) = send(paul, fields_case, "outlines", body).json()["cells"]
    assert cell["box"] == body["box"]


def test_removed_and_repeated_cells_say_why_they_do_not_count(
    paul: Client, fields_case: Case
) -> None:
    (repeated,) = send(paul, fields_case, "repeats", body_of("repeats", fields_case)).json()[
        "cells"
    ]
    assert (repeated["fate"], repeated["pair"]) == ("repeat", [])
    seen = {"cells": [{"cell": repeated["id"], "revision": repeated["revision"]}]}
    (removed,) = send(paul, fields_case, "removals", seen).json()["cells"]
    assert removed["fate"] == "removed"


def test_a_class_is_accepted_cell_by_seen_cell(paul: Client, fields_case: Case) -> None:
    body = body_of("class-acceptances", fields_case)
    (cell,) = send(paul, fields_case, "class-acceptances", body).json()["cells"]
    assert (cell["state"], cell["human"]) == ("human", body["cell_type"])
    assert AuditEvent.objects.filter(action="cell.accepted_by_class").count() == 1


def test_clumps_are_told_of_the_review(paul: Client, fields_case: Case) -> None:
    assert send(paul, fields_case, "platelet-clumps", {"has_clumps": True}).status_code == 200
    told = paul.get(f"/api/v1/cases/{fields_case.pk}/review").json()
    assert told["has_platelet_clumps"] is True


def test_nobody_reviews_what_nobody_opened(paul: Client, case: Case) -> None:
    assert paul.get(f"/api/v1/cases/{case.pk}/review").status_code == 404


@pytest.mark.parametrize("step", STEPS)
def test_a_step_sent_again_is_one_step(paul: Client, fields_case: Case, step: str) -> None:
    body, key = body_of(step, fields_case), str(uuid.uuid4())
    first = send(paul, fields_case, step, body, key)
    assert first.status_code == 200
    rows = Correction.objects.count()
    again = send(paul, fields_case, step, body, key)
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert Correction.objects.count() == rows


@pytest.mark.parametrize("step", STEPS)
def test_only_who_has_the_case_open_takes_a_step(
    fields_case: Case, technician: User, program: Program, step: str
) -> None:
    colleague = UserFactory.create(role=Role.PATHOLOGIST)
    body = body_of(step, fields_case)
    for owner in (technician, colleague):
        assert send(program(owner), fields_case, step, body).status_code == 403
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    ("step", "change", "status"),
    [
        ("cells", {"box": [200, 100, 260]}, 422),
        ("cells", {"box": [200, 100, 260, "170"]}, 422),
        ("cells", {"box": [-1, 100, 260, 170]}, 422),
        ("cells", {"box": [200, 100, 9000, 170]}, 422),
        ("cells", {"box": [200, 100, 202, 102]}, 422),
        ("cells", {"cell_type": "lizard"}, 422),
        ("cells", {"image": str(uuid.uuid4())}, 422),
        ("outlines", {"cell": str(uuid.uuid4())}, 422),
        ("outlines", {"box": [260, 170, 200, 100]}, 422),
        ("outlines", {"revision": 10**9}, 200),
        ("removals", {"cells": []}, 422),
        ("repeats", {"repeat": "maybe"}, 422),
        ("class-acceptances", {"cell_type": "basophil"}, 422),
        ("platelet-clumps", {"has_clumps": "yes"}, 422),
        ("platelet-clumps", {"clumps": True}, 422),
    ],
)
def test_what_cannot_be_is_refused(
    paul: Client, fields_case: Case, step: str, change: dict[str, Any], status: int
) -> None:
    response = send(paul, fields_case, step, body_of(step, fields_case) | change)
    assert response.status_code == status, response.json()
    if status == 422:
        assert not Correction.objects.exists()


@pytest.mark.parametrize("step", ["outlines", "removals", "repeats"])
def test_a_cell_that_changed_since_it_was_seen_is_a_conflict(
    paul: Client, fields_case: Case, step: str
) -> None:
    stale = body_of(step, fields_case)
    send(paul, fields_case, "class-acceptances", body_of("class-acceptances", fields_case))
    refused = send(paul, fields_case, step, stale)
    assert refused.status_code == 409
    assert refused.json()["cells"] == [str(whites_of(fields_case)[0].pk)]
