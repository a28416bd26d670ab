"""Cases by program: opened, listed, and moved along."""

import uuid
from typing import Any

import pytest
from django.test import Client

from classifier.models import Case, ClassificationRun, ModelVersion, Patient
from tests.api.sending import new_case, post
from tests.clinical import MakeImage


def test_opens_and_reads_a_case(tess: Client, patient: Patient) -> None:
    response = post(tess, "cases", new_case(patient))
    assert response.status_code == 201
    case = response.json()
    assert case["status"] == "registered"
    assert case["white_count"]["value"] == "7.20"
    assert case["steps"] == ["submit", "reject", "cancel"]
    assert tess.get(response["Location"]).json() == case


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"patient": str(uuid.uuid4())}, "#/patient"),
        ({"patient": "7"}, "#/patient"),
        ({"specimen": {}}, "#/specimen/collected_at"),
        ({"white_count": {"value": 7.2, "measured_at": "2026-01-01T00:00:00Z"}},
         "#/white_count/value"),
        ({"white_count": {"value": "7.2"}}, "#/white_count/measured_at"),
        ({"white_count": {"value": "7.2", "measured_at": "2026-01-01T00:00:00"}},
         "#/white_count/measured_at"),
        ({"white_count": {"value": "7.2", "measured_at": "2999-01-01T00:00:00Z"}},
         "#/white_count/measured_at"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_case_is_pointed_at(
    tess: Client, patient: Patient, change: dict[str, Any], pointer: str
) -> None:
    response = post(tess, "cases", new_case(patient) | change)
    assert response.status_code == 422
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    assert not Case.objects.exists()


def test_dates_that_contradict_each_other_are_refused(tess: Client, patient: Patient) -> None:
    specimen = new_case(patient)["specimen"]
    turned = {"collected_at": specimen["received_at"], "received_at": specimen["collected_at"]}
    response = post(tess, "cases", new_case(patient, specimen=turned))
    assert response.status_code == 422
    assert "before it was collected" in response.json()["detail"]


def test_lists_cases_page_by_page(
    tess: Client, patient: Patient, django_assert_max_num_queries: Any
) -> None:
    opened = [post(tess, "cases", new_case(patient)).json()["id"] for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        with django_assert_max_num_queries(12):
            page = tess.get("/api/v1/cases", {"limit": 2} | ({"cursor": cursor} if cursor else {}))
        seen += [case["id"] for case in page.json()["results"]]
        cursor = page.json()["next_cursor"]
        if not cursor:
            break
    assert seen == list(reversed(opened))


def test_filters_cases(tess: Client, patient: Patient, case: Case) -> None:
    urgent = post(tess, "cases", new_case(patient)).json()

    def found(**wanted: str) -> list[str]:
        return [one["id"] for one in tess.get("/api/v1/cases", wanted).json()["results"]]

    assert found(priority="urgent") == [urgent["id"]]
    assert found(accession_number=case.accession_number) == [str(case.pk)]
    assert found(status="signed_off") == []
    assert set(found(patient=str(patient.pk))) == {urgent["id"], str(case.pk)}
    assert found(patient=str(uuid.uuid4())) == []
    assert len(found(registered_since=case.registered_at.isoformat())) == 2


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "cursor=x", "cursor=%00", "status=x", "colour=red",
              "limit=1&limit=2", "registered_since=2026-01-01"]
)  # fmt: skip
def test_a_wrong_parameter_is_refused(tess: Client, query: str) -> None:
    response = tess.get(f"/api/v1/cases?{query}")
    assert response.status_code == 422
    assert response.json()["errors"]


def test_what_one_has_is_not_sent_again(tess: Client, case: Case) -> None:
    first = tess.get(f"/api/v1/cases/{case.pk}")
    tag = first["ETag"]
    again = tess.get(f"/api/v1/cases/{case.pk}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)


def test_a_step_on_a_case_that_has_changed_is_refused(
    tess: Client, case: Case, add_picture: MakeImage, active_model: ModelVersion
) -> None:
    tag = tess.get(f"/api/v1/cases/{case.pk}")["ETag"]
    add_picture(case)
    stale = post(tess, f"cases/{case.pk}/submit", **{"If-Match": tag})
    assert stale.status_code == 412
    tag = tess.get(f"/api/v1/cases/{case.pk}")["ETag"]
    assert post(tess, f"cases/{case.pk}/submit", **{"If-Match": tag}).status_code == 200
    assert ClassificationRun.objects.count() == 1


def test_a_case_moves_along(
    tess: Client, case: Case, add_picture: MakeImage, active_model: ModelVersion
) -> None:
    empty = post(tess, f"cases/{case.pk}/submit")
    assert empty.status_code == 422
    add_picture(case)
    submitted = post(tess, f"cases/{case.pk}/submit")
    assert submitted.json()["status"] == "in_classification"
    assert post(tess, f"cases/{case.pk}/submit").status_code == 409
    assert post(tess, f"cases/{case.pk}/reject", {}).status_code == 422
    rejected = post(tess, f"cases/{case.pk}/reject", {"reason": "Clotted."})
    assert rejected.json()["status"] == "rejected"
    assert rejected.json()["status_reason"] == "Clotted."


def test_a_draft_is_cancelled(tess: Client, case: Case) -> None:
    response = post(tess, f"cases/{case.pk}/cancel", {"reason": "Twice."})
    assert response.json()["status"] == "cancelled"
