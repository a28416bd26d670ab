"""FHIR over the API: which forms are spoken, and what is answered with an outcome."""

import json

import pytest
from django.test import Client

from tests.api.fhir.asking import get
from tests.reports.fhir_sources import faults_of


@pytest.mark.parametrize(
    "accept", ["application/fhir+json", "application/json", "*/*", "application/fhir+json; q=0.9"]
)
def test_json_is_spoken_whatever_it_is_called(db: None, accept: str) -> None:
    response = get(Client(), "metadata", accept=accept)
    assert response.status_code == 200
    assert json.loads(response.content)["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize(
    ("address", "accept", "status"),
    [
        ("metadata", "application/fhir+xml", 406),
        ("metadata?_format=xml", "*/*", 406),
        ("metadata?_format=application/fhir%2Bjson", "text/html", 200),
    ],
)
def test_xml_is_not_spoken(db: None, address: str, accept: str, status: int) -> None:
    response = get(Client(), address, accept=accept)
    assert response.status_code == status
    assert response["Content-Type"].startswith("application/fhir+json")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("Encounter", 404),
        ("DiagnosticReport/nothing", 404),
        ("DiagnosticReport/8c7a4a4c-5d86-4b48-a1f6-0d3bb0f5d000/_history", 404),
        ("Observation/8c7a4a4c-5d86-4b48-a1f6-0d3bb0f5d000.neutrophil-pct", 404),
        ("Binary/8c7a4a4c-5d86-4b48-a1f6-0d3bb0f5d000", 404),
        ("Media/x", 404),
        ("DiagnosticReport?colour=red", 400),
        ("DiagnosticReport?date=yesterday", 400),
        ("DiagnosticReport?date=2026-02-30", 400),
        ("DiagnosticReport?date=9999-12-31", 400),
        ("DiagnosticReport?date=ap0001", 400),
        ("DiagnosticReport?_count=0", 400),
        ("DiagnosticReport?_count=1&_count=2", 400),
        ("DiagnosticReport?_cursor=abc", 400),
        ("DiagnosticReport?_include=Patient:link", 400),
        ("DiagnosticReport?status=", 400),
        ("DiagnosticReport?code=http://loinc.org|", 400),
        ("DiagnosticReport?identifier=%00", 400),
        ("Observation?code=%00", 400),
        ("Device?colour=red", 400),
        ("Patient?_include=Patient:link", 400),
    ],
)
def test_what_can_not_be_answered_is_an_outcome(fhir: Client, address: str, status: int) -> None:
    response = get(fhir, address)
    assert response.status_code == status, response.content
    assert faults_of(response.json()) == []
    assert response.json()["issue"][0]["severity"] == "error"
