"""Who looked at this patient: listed by person and one by one, and handed out as CSV."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts import audit
from accounts.models import AuditEvent, User
from classifier.models import Patient
from tests.pages import words_of


@pytest.fixture
def read(patient: Patient, technician: User, pathologist: User) -> None:
    """Two people read the record, one changed it, and somebody read another's."""
    audit.record_read(actor=technician, patient=patient)
    with transaction.atomic():
        for action in ("report.downloaded", "patient.registered"):
            audit.record(
                actor=pathologist, action=action, target=patient, patient=patient, reason="=1+1"
            )


@pytest.fixture
def desk(client_for: Callable[[User], Client], administrator: User) -> Client:
    return client_for(administrator)


def _address(patient: Patient, name: str = "patient_readings") -> str:
    return reverse(f"classifier:{name}", args=[patient.pk])


@pytest.mark.usefixtures("read")
def test_lists_readings_by_person_and_no_changes(desk: Client, patient: Patient) -> None:
    response = desk.get(_address(patient))
    assert {(reader.name, reader.count) for reader in response.context["readers"]} == {
        ("Ada Administrator", 1),
        ("Paul Pathologist, MD", 1),
        ("Tess Technician", 1),
    }
    assert [entry.event.action for entry, _ in response.context["rows"]] == [
        "patient.viewed",
        "report.downloaded",
        "patient.viewed",
    ]
    assert "Report downloaded" in words_of(response)


@pytest.mark.usefixtures("read")
def test_hands_out_the_list_without_formulas_and_records_it(desk: Client, patient: Patient) -> None:
    response = desk.get(_address(patient, "patient_readings_export"))
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [(row["who"], row["what"]) for row in rows] == [
        ("Paul Pathologist, MD", "Report downloaded"),
        ("Tess Technician", "Patient record read"),
    ]
    assert rows[0]["reason"] == "'=1+1"
    event = AuditEvent.objects.get(action="patient.readers_exported")
    assert event.patient_id == patient.pk
    assert patient.family_name not in response["Content-Disposition"]


@pytest.mark.parametrize("name", ["patient_readings", "patient_readings_export"])
def test_only_who_reads_the_trail_and_patients_may_ask(
    name: str,
    patient: Patient,
    client_for: Callable[[User], Client],
    technician: User,
    pathologist: User,
    consultant: User,
) -> None:
    for person in (technician, pathologist, consultant):
        assert client_for(person).get(_address(patient, name)).status_code == 403


def test_the_way_there_stands_on_the_record_for_administrators_alone(
    desk: Client, patient: Patient, client_for: Callable[[User], Client], technician: User
) -> None:
    record = patient.get_absolute_url()
    assert _address(patient) in desk.get(record).content.decode()
    assert _address(patient) not in client_for(technician).get(record).content.decode()


@pytest.mark.usefixtures("read")
def test_the_number_of_queries_does_not_grow(
    desk: Client, patient: Patient, administrator: User, django_assert_max_num_queries: Any
) -> None:
    with transaction.atomic():
        for _ in range(60):
            audit.record(
                actor=administrator, action="report.downloaded", target=patient, patient=patient
            )
    with django_assert_max_num_queries(26):
        assert len(desk.get(_address(patient)).context["rows"]) == 50
