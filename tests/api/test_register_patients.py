"""Patients by program: registered, found, and refused where a mistake is."""

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent
from classifier.models import Patient
from tests.api.sending import JOHN, post


def test_registers_and_finds_a_patient(tess: Client) -> None:
    response = post(tess, "patients", JOHN)
    assert response.status_code == 201
    where = response["Location"]
    assert tess.get(where).json() == response.json()
    found = post(tess, "patients/find", {"mrn": "MRN00777"}).json()["results"]
    assert [patient["id"] for patient in found] == [response.json()["id"]]
    event = AuditEvent.objects.get(action="patient.registered")
    assert event.means.startswith("API token ")


def test_the_same_number_is_a_conflict_that_names_the_record(
    tess: Client, patient: Patient
) -> None:
    twin = JOHN | {"mrn": patient.mrn, "mrn_issuer": patient.mrn_issuer}
    response = post(tess, "patients", twin)
    assert response.status_code == 409
    assert response.json()["patients"] == [str(patient.pk)]
    assert response.json()["is_certain"] is True


def test_a_look_alike_needs_a_reason(tess: Client, patient: Patient) -> None:
    twin = JOHN | {"family_name": "Doe", "given_name": "Jane", "birth_date": "1980-01-01"}
    assert post(tess, "patients", twin).status_code == 409
    assert post(tess, "patients", twin | {"duplicate_reason": "Twin."}).status_code == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"mrn": ""}, "#/mrn"),
        ({"mrn": 5}, "#/mrn"),
        ({"mrn": "a\u0000b"}, "#/mrn"),
        ({"given_name": "\ud800"}, "#/given_name"),
        ({"birth_date": "2999-01-01"}, "#/birth_date"),
        ({"birth_date": "04.03.1971"}, "#/birth_date"),
        ({"sex": "m"}, "#/sex"),
        ({"middle_name": "X"}, "#/middle_name"),
    ],
)
def test_a_mistake_is_pointed_at(tess: Client, change: dict[str, Any], pointer: str) -> None:
    response = post(tess, "patients", JOHN | change)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b'{"mrn": NaN}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"<a/>", "application/xml", 415),
        (b"mrn=1", "application/x-www-form-urlencoded", 415),
        (b" " * (1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_what_can_not_be_read_is_refused(
    tess: Client, body: bytes, content_type: str, status: int
) -> None:
    response = tess.post(
        "/api/v1/patients",
        body,
        content_type=content_type,
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert not Patient.objects.exists()
