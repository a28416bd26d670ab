"""Reading, exporting and verifying the audit trail on its pages."""

import csv
import io
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.context import request_context
from accounts.models import AuditEvent, User
from tests.accounts.trail import seal, tamper, write_event

AUDIT = "/administration/audit/"
PATIENT = uuid.UUID("5b6c1c52-0e2c-4b6e-8f8e-2f0f5a0a9d11")


@pytest.fixture
def desk(client_for: Callable[[User], Client], administrator: User) -> Client:
    client = client_for(administrator)
    client.get("/administration/users/")
    return client


@pytest.fixture
def trail(desk: Client, technician: User, pathologist: User) -> None:
    """Three events of two people on two days."""
    with time_machine.travel(timezone.now() - timedelta(days=3)):
        write_event(technician, reason="An old reason", before={"role": "a"}, after={"role": "b"})
    write_event(pathologist, action="patient.viewed", target=None, patient=PATIENT)
    write_event(pathologist, action="user.role_changed", after={"word": "Rosette"})


def _shown(client: Client, **query: Any) -> list[tuple[str, str]]:
    entries = client.get(AUDIT, query).context["entries"]
    return [
        (entry.event.actor_name.split()[0], entry.event.action)
        for entry in entries
        if not entry.event.action.startswith(("session.", "audit."))
    ]


def _events_of(action: str) -> list[Any]:
    return [event.after for event in AuditEvent.objects.filter(action=action).order_by("at")]


@pytest.mark.usefixtures("trail")
def test_shows_everything_newest_first(desk: Client) -> None:
    assert _shown(desk) == [
        ("Paul", "user.role_changed"),
        ("Paul", "patient.viewed"),
        ("Tess", "user.changed"),
    ]


@pytest.mark.usefixtures("trail")
def test_filters(desk: Client, technician: User) -> None:
    today = timezone.now().date().isoformat()
    assert _shown(desk, actor=technician.pk) == [("Tess", "user.changed")]
    assert _shown(desk, action="patient.viewed") == [("Paul", "patient.viewed")]
    assert _shown(desk, subject=str(PATIENT)) == [("Paul", "patient.viewed")]
    assert _shown(desk, subject=technician.email) == [("Tess", "user.changed")]
    assert _shown(desk, text="rosette") == [("Paul", "user.role_changed")]
    assert _shown(desk, text="old reason") == [("Tess", "user.changed")]
    assert _shown(desk, last="2020-01-01") == []
    assert [name for name, _ in _shown(desk, first=today)] == ["Paul", "Paul"]


@pytest.mark.usefixtures("trail")
def test_shows_values_before_and_after(desk: Client) -> None:
    page = desk.get(AUDIT).content.decode()
    assert "<del>a</del>" in page
    assert "<ins>b</ins>" in page
    assert "An old reason" in page


def test_reading_is_recorded_without_the_words_searched_for(desk: Client) -> None:
    desk.get(AUDIT, {"text": "Jane Doe", "action": "patient.viewed"})
    assert _events_of("audit.viewed") == [{"text": "given", "action": "patient.viewed", "page": 1}]
    assert not AuditEvent.objects.filter(payload__contains="Jane").exists()


def test_pages_through_a_long_trail(
    desk: Client, administrator: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(60):
        write_event(administrator)
    with django_assert_max_num_queries(16):
        first = desk.get(AUDIT)
    assert len(first.context["entries"]) == 50
    assert len(desk.get(AUDIT, {"page": 2}).context["entries"]) > 5


@pytest.mark.usefixtures("trail")
def test_exports_what_is_filtered(desk: Client, pathologist: User) -> None:
    seal()
    response = desk.get(f"{AUDIT}export/", {"actor": pathologist.pk})
    lines = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [line["action"] for line in lines] == ["user.role_changed", "patient.viewed"]
    assert lines[1]["patient_id"] == str(PATIENT)
    assert all(line["hash"] and line["seal"] for line in lines)
    assert "attachment" in response["Content-Disposition"]
    assert _events_of("audit.exported") == [{"actor": str(pathologist.pk), "events": 2}]


@pytest.mark.usefixtures("trail")
def test_exports_json_lines(desk: Client, pathologist: User) -> None:
    seal()
    response = desk.get(f"{AUDIT}export/?actor={pathologist.pk}&format=jsonl")
    lines = [json.loads(line) for line in response.getvalue().decode().splitlines()]
    assert [line["action"] for line in lines] == ["user.role_changed", "patient.viewed"]
    assert all(line["seal"] and len(line["hash"]) == 64 for line in lines)
    assert response["Content-Disposition"].endswith('.jsonl"')


def test_filters_by_address(desk: Client, administrator: User) -> None:
    with request_context(request_id="", client_address="192.0.2.7"):
        write_event(administrator)
    assert _shown(desk, address="192.0.2.7") == [("Ada", "user.changed")]
    assert _shown(desk, address="192.0.2.8") == []
    assert desk.get(AUDIT, {"address": "nonsense"}).status_code == 200


def test_an_export_holds_no_formulas(desk: Client, administrator: User) -> None:
    write_event(administrator, reason='=HYPERLINK("http://evil")')
    exported = desk.get(f"{AUDIT}export/").getvalue().decode()
    assert "'=HYPERLINK" in exported


@pytest.mark.usefixtures("trail")
def test_verifies_a_sound_trail(desk: Client) -> None:
    head = seal()[-1].hash
    assert head in desk.get(AUDIT).content.decode()
    seal()
    page = desk.post(f"{AUDIT}verify/", {"expected_head": head}).content.decode()
    assert "The audit trail is sound" in page
    assert _events_of("audit.verified")[0]["findings"] == 0


@pytest.mark.usefixtures("trail")
def test_says_what_is_wrong_with_a_tampered_one(desk: Client) -> None:
    link = seal()[0]
    tamper("UPDATE accounts_auditevent SET reason = 'x' WHERE id = %s", link.event_id)
    page = desk.post(f"{AUDIT}verify/").content.decode()
    assert "not sound" in page
    assert f"event {link.event_id} was altered in reason" in page
