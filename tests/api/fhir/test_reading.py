"""FHIR over the API: reading, versions, and who may."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from accounts.models import AuditEvent, User
from api.enums import Scope
from classifier.models import Case
from classifier.services.reviews import amend
from reports.models import Report
from tests.api.conftest import Program
from tests.api.fhir.asking import found, get
from tests.reports.conftest import Sign
from tests.reports.fhir_sources import faults_of


def test_the_capability_statement_is_open_and_keeps_the_rules(db: None) -> None:
    response = get(Client(), "metadata")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert faults_of(response.json()) == []
    assert response.json()["fhirVersion"] == "4.0.1"


def test_every_type_that_is_stated_is_read_and_searched(
    reports: list[Report], fhir: Client
) -> None:
    statement = get(fhir, "metadata").json()
    for resource in statement["rest"][0]["resource"]:
        kind = resource["type"]
        codes = {item["code"] for item in resource["interaction"]}
        if "search-type" not in codes:
            continue
        items = found(fhir, f"{kind}?_count=3")
        assert items, kind
        for item in items:
            assert item["resourceType"] == kind
            assert faults_of(item) == []
            assert get(fhir, f"{kind}/{item['id']}").json() == item


def test_every_reference_of_a_report_can_be_read(reports: list[Report], fhir: Client) -> None:
    case_id = reports[0].case_id
    report = get(fhir, f"DiagnosticReport/{case_id}").json()
    targets = [report[name] for name in ("subject",)]
    for name in ("basedOn", "performer", "resultsInterpreter", "specimen", "result"):
        targets += report[name]
    targets += [item["link"] for item in report["media"]]
    for target in targets:
        response = get(fhir, target["reference"])
        assert response.status_code == 200, target
        assert faults_of(response.json()) == []


def test_the_pdf_is_the_one_that_was_signed(ready_case: Case, sign: Sign, fhir: Client) -> None:
    report = sign(ready_case)
    form = get(fhir, f"DiagnosticReport/{ready_case.pk}").json()["presentedForm"][0]
    response = fhir.get(urlsplit(form["url"]).path)
    assert response["Content-Type"] == "application/pdf"
    with report.pdf.open("rb") as file:
        assert response.content == file.read()
    event = AuditEvent.objects.filter(action="report.downloaded").latest("at")
    assert event.after == {"form": "pdf by FHIR", "version": 1}


def test_a_report_that_is_known_is_not_sent_again(reports: list[Report], fhir: Client) -> None:
    address = f"DiagnosticReport/{reports[0].case_id}"
    tag = get(fhir, address)["ETag"]
    assert tag == 'W/"1"'
    again = get(fhir, address, if_none_match=tag)
    assert again.status_code == 304
    assert again.content == b""
    assert get(fhir, address, if_none_match='W/"2"').status_code == 200


def test_a_corrected_report_keeps_its_first_version(
    ready_case: Case, sign: Sign, fhir: Client, pathologist: User, correct: Callable[..., Any]
) -> None:
    sign(ready_case)
    amend(case_id=ready_case.pk, actor=pathologist, reason="One cell was misnamed.")
    correct(ready_case, [0], "lymphocyte")
    sign(Case.objects.get(pk=ready_case.pk))
    address = f"DiagnosticReport/{ready_case.pk}"
    now = get(fhir, address)
    assert now["ETag"] == 'W/"2"'
    assert now.json()["status"] == "corrected"
    first = get(fhir, f"{address}/_history/1")
    assert first.json()["status"] == "final"
    history = get(fhir, f"{address}/_history").json()
    assert faults_of(history) == []
    assert [item["resource"]["meta"]["versionId"] for item in history["entry"]] == ["2", "1"]
    signatures = found(fhir, f"Provenance?target=DiagnosticReport/{ready_case.pk}")
    assert [item["meta"]["versionId"] for item in signatures] == ["2", "1"]
    assert len(found(fhir, "DiagnosticReport")) == 1
    assert get(fhir, f"{address}/_history/3").status_code == 404


def test_a_case_without_report_is_not_there(ready_case: Case, fhir: Client) -> None:
    for kind in ("DiagnosticReport", "Specimen", "ServiceRequest"):
        assert get(fhir, f"{kind}/{ready_case.pk}").status_code == 404
        assert found(fhir, kind) == []
    assert get(fhir, f"Patient/{ready_case.patient_id}").status_code == 404
    assert found(fhir, "Patient") == []


def test_reading_a_patient_is_recorded_once(
    reports: list[Report], fhir: Client, technician: User
) -> None:
    for address in ("DiagnosticReport", "Observation", "Patient", "Specimen"):
        get(fhir, address)
    events = AuditEvent.objects.filter(actor=technician, action="patient.viewed")
    assert events.count() == 1
    assert events.get().patient_id == reports[0].case.patient_id


def test_nobody_reads_without_a_token_of_this_scope(
    reports: list[Report], technician: User, program: Program, client_for: Any
) -> None:
    assert get(Client(), "DiagnosticReport").status_code == 401
    assert get(client_for(technician), "DiagnosticReport").status_code == 401
    other = get(program(technician, Scope.REPORTS_READ), "DiagnosticReport")
    assert other.status_code == 403
    assert other.json()["resourceType"] == "OperationOutcome"
    assert faults_of(other.json()) == []


def test_a_tampered_report_is_left_out_and_said(reports: list[Report], fhir: Client) -> None:
    import pgtrigger

    with pgtrigger.ignore():
        Report.objects.filter(pk=reports[1].pk).update(content_sha256="0" * 64)
    bundle = get(fhir, "DiagnosticReport").json()
    modes = [item["search"]["mode"] for item in bundle["entry"]]
    assert modes == ["match", "match", "outcome"]
    assert faults_of(bundle) == []
    assert get(fhir, f"DiagnosticReport/{reports[1].case_id}").status_code in (409, 422)
