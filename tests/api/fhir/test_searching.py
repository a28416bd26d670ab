"""FHIR over the API: what is found by what, and page by page."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from reports.models import Report
from tests.api.fhir.asking import found, get, post
from tests.api.fhir.conftest import CELLS, Issue
from tests.reports.fhir_sources import faults_of
from tests.reports.history import OpenCase


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", [2, 1, 0]),
        ("patient=Patient/{patient}", [2, 1, 0]),
        ("subject={patient}", [2, 1, 0]),
        ("identifier={accession}", [1]),
        ("accession={accession}", [1]),
        ("identifier=http://elsewhere.example|{accession}", []),
        ("_id={case}", [1]),
        ("_id={case},no-such-id", [1]),
        ("based-on=ServiceRequest/{case}", [1]),
        ("specimen={case}", [1]),
        ("status=final", [2, 1, 0]),
        ("status=preliminary", []),
        ("status=final,corrected&_count=2", [2, 1]),
        ("code=http://loinc.org|69738-3", [2, 1, 0]),
        ("code=69738-3", [2, 1, 0]),
        ("code=1-8", []),
        ("category=HM", [2, 1, 0]),
        ("date=ge{day_40}", [2, 1]),
        ("date=lt{day_40}", [0]),
        ("_lastUpdated=gt2000", [2, 1, 0]),
        ("issued=lt2000-05", []),
        ("patient=Patient/8c7a4a4c-5d86-4b48-a1f6-0d3bb0f5d000", []),
    ],
)
def test_reports_are_found_by(
    reports: list[Report], fhir: Client, query: str, places: list[int]
) -> None:
    middle = reports[1].case
    taken = (middle.specimen.collected_at).strftime("%Y-%m-%dT%H:%M:00Z")
    asked = query.format(
        patient=middle.patient_id, accession=middle.accession_number, case=middle.pk, day_40=taken
    )
    wanted = [str(reports[place].case_id) for place in places]
    assert [item["id"] for item in found(fhir, f"DiagnosticReport?{asked}")] == wanted


def test_results_are_found_by_code_over_all_reports(reports: list[Report], fhir: Client) -> None:
    items = found(fhir, f"Observation?code=26511-6&patient={reports[0].case.patient_id}")
    assert [item["id"] for item in items] == [
        f"{report.case_id}.neutrophil-pct" for report in reversed(reports)
    ]
    assert found(fhir, "Observation?code=26511-6&status=corrected") == []


def test_pages_lead_to_each_other_and_lose_and_double_nothing(
    reports: list[Report], fhir: Client
) -> None:
    everything = [item["id"] for item in found(fhir, "Observation?_count=100")]
    seen, address, pages = [], "Observation?_count=7", 0
    while address:
        bundle = get(fhir, address).json()
        assert faults_of(bundle) == []
        seen += [item["resource"]["id"] for item in bundle["entry"]]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        assert links["self"].endswith(address)
        address = links.get("next", "").rpartition("/fhir/")[2]
        pages += 1
    assert seen == everything
    assert pages == -(-len(everything) // 7)
    assert len(set(seen)) == len(seen)


def test_what_a_report_leads_to_comes_along(reports: list[Report], fhir: Client) -> None:
    query = "_count=2&_include=DiagnosticReport:result&_include=DiagnosticReport:subject"
    bundle = get(fhir, f"DiagnosticReport?{query}").json()
    assert faults_of(bundle) == []
    modes: dict[str, list[str]] = {"match": [], "include": []}
    for item in bundle["entry"]:
        modes[item["search"]["mode"]].append(item["resource"]["resourceType"])
    assert modes["match"] == ["DiagnosticReport"] * 2
    assert modes["include"].count("Patient") == 1
    assert modes["include"].count("Observation") > 2


def test_patients_are_found_by_identity_only_in_a_body(reports: list[Report], fhir: Client) -> None:
    patient = reports[0].case.patient
    for query in ({"identifier": patient.mrn}, {"family": "doe"}, {"birthdate": "1980-01-01"}):
        refused = fhir.get("/fhir/Patient", query)
        assert refused.status_code == 400
        answer = post(fhir, "Patient/_search", query)
        assert [item["resource"]["id"] for item in answer.json()["entry"]] == [str(patient.pk)]
        link = answer.json()["link"][0]["url"]
        assert not urlsplit(link).query
    assert "entry" not in post(fhir, "Patient/_search", {"birthdate": "lt1980"}).json()
    stray = post(fhir, "Patient/_search?family=doe", {"gender": "female"})
    assert stray.status_code == 400


def test_a_page_costs_the_same_for_one_report_and_for_three(
    open_counted: OpenCase,
    issue: Issue,
    fhir: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for hours in (60, 40, 20):
        issue(open_counted(CELLS, hours_ago=hours))
        get(fhir, "DiagnosticReport")
        with django_assert_max_num_queries(12):
            get(fhir, "Observation?_count=100&_include=Observation:subject")


def test_a_result_of_the_future_is_not_found(reports: list[Report], fhir: Client) -> None:
    later = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%d")
    assert found(fhir, f"DiagnosticReport?date=gt{later}") == []
    assert len(found(fhir, f"DiagnosticReport?date=ap{timezone.now():%Y-%m}")) == 3
