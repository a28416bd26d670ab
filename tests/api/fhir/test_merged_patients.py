"""Merged records over FHIR: `Patient.link`, `active`, and searches that lead on."""

import pytest
from django.test import Client

from accounts.models import User
from classifier.models import Patient
from reports.models import Report
from tests.api.fhir.asking import found, get, post
from tests.merging import merge, register, unmerge
from tests.reports.fhir_sources import faults_of


@pytest.fixture
def other(technician: User) -> Patient:
    return register(technician)


def test_the_merged_record_links_to_the_survivor_and_back(
    reports: list[Report], patient: Patient, other: Patient, fhir: Client, administrator: User
) -> None:
    done = merge(patient, other, administrator)
    merged, survivor = (get(fhir, f"Patient/{one.pk}").json() for one in (patient, other))
    assert faults_of(merged) == faults_of(survivor) == []
    assert (merged["active"], survivor["active"]) == (False, True)
    assert merged["link"] == [
        {"other": {"reference": f"Patient/{other.pk}"}, "type": "replaced-by"}
    ]
    assert survivor["link"] == [
        {"other": {"reference": f"Patient/{patient.pk}"}, "type": "replaces"}
    ]
    unmerge(done, administrator)
    back = get(fhir, f"Patient/{patient.pk}").json()
    assert back["active"] is True
    assert "link" not in back


def test_reports_are_found_by_either_record_and_keep_their_subject(
    reports: list[Report], patient: Patient, other: Patient, fhir: Client, administrator: User
) -> None:
    merge(patient, other, administrator)
    for one in (patient, other):
        items = found(fhir, f"DiagnosticReport?patient={one.pk}")
        assert {item["id"] for item in items} == {str(report.case_id) for report in reports}
        assert {item["subject"]["reference"] for item in items} == {f"Patient/{patient.pk}"}


def test_a_merged_number_finds_the_record_that_leads_on(
    reports: list[Report], patient: Patient, other: Patient, fhir: Client, administrator: User
) -> None:
    merge(patient, other, administrator)
    answer = post(fhir, "Patient/_search", {"identifier": patient.mrn}).json()
    (entry,) = answer["entry"]
    assert entry["resource"]["link"][0]["other"]["reference"] == f"Patient/{other.pk}"
