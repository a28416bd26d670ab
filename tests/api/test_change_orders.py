"""The order, the specimen and the white count of a case, changed by program after it was opened."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.models import AnalyserResult, Case, ModelVersion
from tests.api.conftest import Program
from tests.api.sending import post
from tests.clinical import MakeImage
from tests.factories import UserFactory


def count(value: str = "12.40", **changes: Any) -> dict[str, Any]:
    return {"value": value, "measured_at": timezone.now().isoformat()} | changes


def test_changes_what_was_sent_and_leaves_the_rest(tess: Client, case: Case) -> None:
    stain = case.specimen.stain
    change = {"priority": "stat", "specimen": {"condition": "clotted", "condition_note": "A clot."}}
    changed = post(tess, f"cases/{case.pk}/order", change).json()
    assert (changed["priority"], changed["specimen"]["condition"]) == ("stat", "clotted")
    assert changed["specimen"]["stain"] == stain
    event = AuditEvent.objects.get(action="case.order_changed")
    assert event.after == {"priority": "stat", "condition": "clotted", "condition_note": "A clot."}
    assert post(tess, f"cases/{case.pk}/order").json() == changed
    assert AuditEvent.objects.filter(action="case.order_changed").count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"priority": "soon"},
        {"specimen": {"collected_at": "2999-01-01T00:00:00Z"}},
        {"specimen": {"received_at": "1999-01-01T00:00:00Z"}},
        {"specimen": {"colour": "red"}},
        {"specimen": None},
        {"accession_number": "HV26-000001X"},
    ],
)
def test_an_order_that_cannot_be_is_refused(
    tess: Client, case: Case, change: dict[str, Any]
) -> None:
    assert post(tess, f"cases/{case.pk}/order", change).status_code == 422
    assert not AuditEvent.objects.filter(action="case.order_changed").exists()


def test_a_submitted_order_stands(
    tess: Client, case: Case, add_picture: MakeImage, active_model: ModelVersion
) -> None:
    add_picture(case)
    post(tess, f"cases/{case.pk}/submit")
    assert post(tess, f"cases/{case.pk}/order", {"priority": "stat"}).status_code == 409


def test_the_latest_white_count_is_the_cases(tess: Client, case: Case) -> None:
    told = post(tess, f"cases/{case.pk}/white-count", count(excludes_erythroblasts=True)).json()
    assert told["white_count"]["value"] == "12.40"
    assert told["white_count"]["excludes_erythroblasts"] is True
    earlier = (timezone.now() - timedelta(hours=5)).isoformat()
    body = count("3.10", measured_at=earlier)
    again = post(tess, f"cases/{case.pk}/white-count", body).json()
    assert again["white_count"]["value"] == "12.40", "an older one changes nothing"
    assert AnalyserResult.objects.count() == 2
    assert AnalyserResult.objects.first().source.startswith("API token ")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body",
    [
        {},
        count("-1"),
        count("1000.01"),
        count(12.4),  # type: ignore[arg-type]
        count(measured_at="2999-01-01T00:00:00Z"),
        count(unit="10*9/L"),
    ],
)
def test_a_white_count_that_cannot_be_is_refused(
    tess: Client, case: Case, body: dict[str, Any]
) -> None:
    assert post(tess, f"cases/{case.pk}/white-count", body).status_code == 422
    assert not AnalyserResult.objects.exists()


@pytest.mark.parametrize(
    ("path", "body"), [("order", {"priority": "stat"}), ("white-count", count())]
)
def test_is_done_once_and_only_on_what_was_seen(
    tess: Client, case: Case, path: str, body: dict[str, Any]
) -> None:
    where, key = f"cases/{case.pk}/{path}", str(uuid.uuid4())
    tag = tess.get(f"/api/v1/cases/{case.pk}")["ETag"]
    first = post(tess, where, body, key, **{"If-Match": tag})
    again = post(tess, where, body, key, **{"If-Match": tag})
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert post(tess, where, body, **{"If-Match": tag}).status_code == 412
    assert AuditEvent.objects.filter(means__startswith="API token", target_id=case.pk).count() == 1


@pytest.mark.parametrize(("path", "body"), [("order", {}), ("white-count", count())])
def test_who_opens_no_cases_changes_none(
    case: Case, pathologist: User, program: Program, path: str, body: dict[str, Any]
) -> None:
    for owner in (pathologist, UserFactory.create(role=Role.ADMINISTRATOR)):
        assert post(program(owner), f"cases/{case.pk}/{path}", body).status_code == 403


def test_finds_cases_by_time_reviewer_and_what_is_untold(
    tess: Client, case: Case, pathologist: User, program: Program
) -> None:
    def found(client: Client, **wanted: str) -> int:
        return len(client.get("/api/v1/cases", wanted).json()["results"])

    soon, past = timezone.now() + timedelta(hours=1), case.registered_at - timedelta(hours=1)
    assert found(tess, registered_before=soon.isoformat()) == 1
    assert found(tess, registered_before=past.isoformat()) == 0
    assert found(tess, signed_since=past.isoformat()) == 0
    assert found(tess, critical="untold") == 0
    assert found(program(pathologist), reviewer="me") == 0
