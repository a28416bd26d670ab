"""A signed report as a Bundle: a document, a transaction, and their download."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.models import Case
from reports.fhir.bundles import make_document, make_transaction
from reports.fhir.source import SignedReport
from reports.fhir.writing import to_bytes
from tests.reports.conftest import Sign
from tests.reports.fhir_sources import KINDS, faults_of, later, signed

ClientFor = Callable[[User], Client]
Make = Callable[[], SignedReport]


def entries(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [item for item in bundle["entry"] if item["resource"]["resourceType"] == kind]


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    here = [value["reference"]] if "reference" in value else []
    return here + [found for item in value.values() for found in references(item)]


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("bundle", [make_document, make_transaction])
def test_every_bundle_keeps_the_rules_of_r4_and_the_models_of_r4b(
    bundle: Callable[[SignedReport], dict[str, Any]], make: Make
) -> None:
    assert faults_of(json.loads(to_bytes(bundle(make())))) == []


def test_a_document_begins_with_a_composition_that_names_all_results() -> None:
    bundle = make_document(signed())
    composition = bundle["entry"][0]["resource"]
    assert composition["resourceType"] == "Composition"
    named = set(references(composition["section"]))
    observations = {f"Observation/{e['resource']['id']}" for e in entries(bundle, "Observation")}
    assert observations <= named
    assert composition["attester"][0]["party"]["reference"] == "Practitioner/person-7"


def test_a_corrected_document_says_what_it_replaces() -> None:
    composition = make_document(later("corrected"))["entry"][0]["resource"]
    assert composition["status"] == "amended"
    assert composition["relatesTo"][0]["code"] == "replaces"


def test_a_transaction_refers_only_to_what_it_holds() -> None:
    bundle = make_transaction(later("corrected"))
    inside = {item["fullUrl"] for item in bundle["entry"]}
    outside = {item for item in references(bundle) if item not in inside}
    assert outside == {f"DiagnosticReport/{signed().case_id}/_history/1"}


def test_a_transaction_never_overwrites_the_receivers_patient() -> None:
    bundle = make_transaction(signed())
    request = entries(bundle, "Patient")[0]["request"]
    assert request["method"] == "POST"
    assert request["ifNoneExist"].endswith("%7CDEMO-1002")
    for kind in ("DiagnosticReport", "Observation", "Specimen", "ServiceRequest"):
        for entry in entries(bundle, kind):
            assert entry["request"]["method"] == "PUT"
            assert entry["request"]["url"].startswith(f"{kind}?identifier=")


def test_a_correction_is_stored_in_the_place_of_the_first_version() -> None:
    first, second = make_transaction(signed()), make_transaction(later("corrected"))

    def places(bundle: dict[str, Any]) -> set[str]:
        return {
            item["request"]["url"]
            for item in bundle["entry"]
            if item["request"]["method"] == "PUT" and "Provenance" not in item["fullUrl"]
            if item["resource"]["resourceType"] != "Provenance"
        }

    assert places(first) == places(second)


def test_the_same_report_gives_the_same_bytes() -> None:
    assert to_bytes(make_document(signed())) == to_bytes(make_document(signed()))
    assert to_bytes(make_transaction(signed())) == to_bytes(make_transaction(signed()))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["document", "transaction"])
def test_a_bundle_of_an_issued_report_is_downloaded_and_recorded(
    ready_case: Case, sign: Sign, client_for: ClientFor, technician: User, kind: str
) -> None:
    report = sign(ready_case)
    response = client_for(technician).get(reverse(f"reports:report_fhir_{kind}", args=[report.pk]))
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/fhir+json")
    bundle = json.loads(response.content)
    assert bundle["type"] == kind
    assert faults_of(bundle) == []
    form = entries(bundle, "DiagnosticReport")[0]["resource"]["presentedForm"][0]
    assert form["size"] == report.pdf.size
    assert len(entries(bundle, "Media")) == len(report.says.pictures)
    event = AuditEvent.objects.filter(action="report.downloaded").latest("at")
    assert event.after == {"form": f"fhir {kind}", "version": 1}
    assert ready_case.patient.family_name not in response["Content-Disposition"]


@pytest.mark.django_db
def test_a_report_that_was_tampered_with_gives_no_bundle(
    ready_case: Case, sign: Sign, client_for: ClientFor, technician: User
) -> None:
    report = sign(ready_case)
    with Path(report.pdf.path).open("ab") as file:
        file.write(b"more")
    address = reverse("reports:report_fhir_document", args=[report.pk])
    assert client_for(technician).get(address).status_code == 409
