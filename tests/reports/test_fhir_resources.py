"""FHIR R4: what each signed report becomes, held against the standard's own rules."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reports import content as c
from reports.fhir.bundles import make_resources
from reports.fhir.rules import find_problems
from reports.fhir.source import SHARED, SignedReport
from reports.fhir.writing import to_json
from tests.reports.contents import make_content, make_signature
from tests.reports.fhir_sources import BASE, KINDS, broken_invariants, faults_of, later, signed

Make = Callable[[], SignedReport]


def by_id(report: SignedReport) -> dict[str, dict[str, Any]]:
    return {f"{item['resourceType']}/{item['id']}": item for item in make_resources(report)}


def result(report: SignedReport, name: str) -> dict[str, Any]:
    return by_id(report)[f"Observation/{report.case_id}.{name}"]


def report_of(report: SignedReport) -> dict[str, Any]:
    return by_id(report)[f"DiagnosticReport/{report.case_id}"]


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_every_resource_keeps_the_rules_of_r4_and_the_models_of_r4b(make: Make) -> None:
    faults = {
        f"{item['resourceType']}/{item['id']}": faults_of(item) for item in make_resources(make())
    }
    assert {place: found for place, found in faults.items() if found} == {}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
def test_every_reference_leads_to_a_resource_of_the_report(make: Make) -> None:
    known = by_id(make())

    def references(value: Any) -> list[str]:
        if isinstance(value, list):
            return [found for item in value for found in references(item)]
        if not isinstance(value, dict):
            return []
        here = [value["reference"]] if "reference" in value else []
        return here + [found for item in value.values() for found in references(item)]

    for resource in known.values():
        for target in references(resource):
            assert target.partition("/_history/")[0] in known


@pytest.mark.parametrize(
    ("kind", "report_status", "result_status"),
    [
        ("final", "final", "final"),
        ("corrected", "corrected", "corrected"),
        ("appended", "appended", "final"),
        ("entered in error", "entered-in-error", "entered-in-error"),
        ("preliminary", "preliminary", "preliminary"),
    ],
)
def test_report_and_results_have_the_status_of_the_version(
    kind: str, report_status: str, result_status: str
) -> None:
    made = KINDS[kind]()
    assert report_of(made)["status"] == report_status
    assert result(made, "neutrophil-pct")["status"] == result_status


def test_a_correction_is_another_version_of_the_same_resources() -> None:
    before, after = by_id(signed()), by_id(later("corrected"))
    shared = before.keys() & after.keys()
    assert before.keys() - shared == {f"Provenance/{signed().report_id}"}
    versioned = [key for key in shared if key.partition("/")[0] not in SHARED]
    assert {before[key]["meta"]["versionId"] for key in versioned} == {"1"}
    assert {after[key]["meta"]["versionId"] for key in versioned} == {"2"}


def test_a_result_that_a_correction_no_longer_says_is_taken_back() -> None:
    corrected = KINDS["corrected"]()
    gone = result(corrected, "blast-pct")
    assert gone["status"] == "entered-in-error"
    assert gone["meta"]["versionId"] == "2"
    named = {item["reference"] for item in report_of(corrected)["result"]}
    members = result(corrected, "differential")["hasMember"]
    named |= {item["reference"] for item in members}
    assert f"Observation/{gone['id']}" not in named


def test_a_share_has_its_interval_its_counts_and_digits_as_signed() -> None:
    share = result(signed(), "neutrophil-pct")
    assert share["valueQuantity"]["value"] == Decimal("38.0")
    assert share["valueQuantity"]["code"] == "%"
    assert '"value":38.0' in to_json(share)
    parts = {item["code"]["coding"][0]["code"]: item for item in share["component"]}
    assert parts["cells-of-class"]["valueInteger"] == 38
    assert parts["leukocytes-counted"]["valueInteger"] == 100
    interval = parts["ci95"]["valueRange"]
    assert (interval["low"]["value"], interval["high"]["value"]) == (
        Decimal("28.5"),
        Decimal("48.3"),
    )


def test_the_reference_range_stands_with_the_quantity_that_it_judges() -> None:
    made = signed()
    absolute = result(made, "neutrophil-abs")
    assert absolute["referenceRange"][0]["high"]["value"] == Decimal("7.50")
    assert absolute["interpretation"][0]["coding"][0]["code"] == "H"
    assert "not yet approved" in absolute["referenceRange"][0]["text"]
    assert "referenceRange" not in result(made, "neutrophil-pct")
    within = result(made, "eosinophil-abs")
    assert within["interpretation"][0]["coding"][0]["code"] == "N"


def test_what_could_not_be_stated_says_why() -> None:
    made = KINDS["nothing counted"]()
    for name in ("neutrophil-pct", "neutrophil-abs", "nrbc"):
        found = result(made, name)
        assert "valueQuantity" not in found
        assert found["dataAbsentReason"]["coding"][0]["code"] == "not-performed"


def test_a_manual_count_has_manual_codes_and_no_device() -> None:
    content = make_content()
    by_hand = replace(content, reading=replace(content.reading, software=(), read_by_software=0))
    made = signed(content=by_hand)
    share = result(made, "neutrophil-pct")
    assert share["code"]["coding"][0]["code"] == "23761-0"
    assert "device" not in share
    assert result(signed(), "neutrophil-pct")["device"]["reference"].startswith("Device/9f3c")


def test_both_white_counts_are_stated_where_one_was_corrected() -> None:
    white = c.WhiteCount(
        Decimal("28.40"), None, "Haematology analyser", Decimal("27.57"), c.Coded("high", "High")
    )
    made = signed(content=make_content(white_count=white))
    given, corrected = result(made, "wbc"), result(made, "wbc-corrected")
    assert given["valueQuantity"]["value"] == Decimal("28.40")
    assert "interpretation" not in given
    assert corrected["valueQuantity"]["value"] == Decimal("27.57")
    assert corrected["derivedFrom"][0]["reference"] == f"Observation/{given['id']}"


def test_the_provenance_names_signer_software_hashes_and_what_was_revised() -> None:
    made = later("corrected")
    provenance = by_id(made)[f"Provenance/{made.report_id}"]
    signature = provenance["signature"][0]
    assert signature["type"][0]["code"] == "1.2.840.10065.1.12.1.1"
    assert signature["who"]["reference"] == "Practitioner/person-7"
    hashes = {
        item["what"]["identifier"]["value"]
        for item in provenance["entity"]
        if item["role"] == "source"
    }
    assert hashes == {made.content.content_sha256, made.pdf_sha256}
    revised = [item for item in provenance["entity"] if item["role"] == "revision"]
    assert revised[0]["what"]["reference"] == f"DiagnosticReport/{made.case_id}/_history/1"
    assert provenance["reason"][0]["text"] == "Cells were misnamed."


def test_a_withdrawal_names_both_people_and_nullifies() -> None:
    when = signed().issued_at
    withdrawal = c.Withdrawal("Leila Haddad, MD", when, "Ada Administrator", when)
    made = later("entered-in-error", withdrawal=withdrawal)
    provenance = by_id(made)[f"Provenance/{made.report_id}"]
    assert provenance["activity"]["coding"][0]["code"] == "NULLIFY"
    assert provenance["agent"][1]["who"] == {"display": "Ada Administrator"}
    assert faults_of(provenance) == []


def test_a_final_report_revises_the_interim_one() -> None:
    content = make_content(
        version=2,
        replaces=c.ReplacedInterim(1, "1" * 64, signed().issued_at),
        signature=make_signature(),
    )
    made = signed(content=content)
    provenance = by_id(made)[f"Provenance/{made.report_id}"]
    assert provenance["entity"][-1]["what"]["reference"].endswith("/_history/1")
    assert provenance["activity"]["coding"][0]["code"] == "UPDATE"


def test_without_bytes_the_report_leads_to_its_pdf() -> None:
    linked = report_of(signed(pdf=b""))["presentedForm"][0]
    assert linked["url"] == f"{BASE}/fhir/Binary/{signed().report_id}"
    assert "data" not in linked
    inline = report_of(signed())["presentedForm"][0]
    assert inline["size"] == len(b"%PDF-1.7 as signed")
    assert "url" not in inline


def test_words_of_people_cannot_break_the_narrative() -> None:
    made = signed(content=make_content(interpretation="<script>alert(1)</script> & more"))
    div = report_of(made)["text"]["div"]
    assert "<script" not in div
    assert "&lt;script&gt;" in div


def test_snomed_codes_are_sent_only_where_they_are_licensed() -> None:
    plain, licensed = (signed(), signed(with_snomed=True))
    specimen = f"Specimen/{plain.case_id}"
    assert "coding" not in by_id(plain)[specimen]["type"]
    assert by_id(licensed)[specimen]["type"]["coding"][0]["code"] == "445295009"


def test_ids_stay_within_64_characters() -> None:
    assert max(len(item["id"]) for item in make_resources(signed())) <= 64


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"status": "bogus"}, "DiagnosticReport.status: 'bogus' is not in"),
        ({"status": None}, "DiagnosticReport.status is not of type code"),
        ({"issued": "yesterday"}, "DiagnosticReport.issued has not the form of instant"),
        ({"colour": "red"}, "DiagnosticReport.colour is unknown"),
        ({"result": {}}, "DiagnosticReport.result is a list or not"),
        ({"category": []}, "DiagnosticReport.category is empty"),
        ({"id": "a b"}, "DiagnosticReport.id is not an id"),
        ({"code": "text"}, "DiagnosticReport.code is not an object"),
    ],
)
def test_the_rules_refuse_what_r4_forbids(change: dict[str, Any], problem: str) -> None:
    good = json.loads(to_json(report_of(signed())))
    assert find_problems(good) == []
    found = find_problems(good | change)
    assert len(found) == 1
    assert problem in found[0]


def test_the_rules_miss_no_required_element() -> None:
    good = json.loads(to_json(report_of(signed())))
    del good["code"]
    assert find_problems(good) == ["DiagnosticReport.code is missing."]
    assert find_problems({"resourceType": "Basic"}) == [
        "Basic is not a type that is sent from here."
    ]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"dataAbsentReason": {"text": "none"}}, "Observation: obs-6"),
        ({"component": [{"code": {"coding": [{"code": "26511-6"}]}}]}, ""),
        ({"referenceRange": [{"appliesTo": [{"text": "adults"}]}]}, "obs-3"),
        ({"valueQuantity": {"value": 1, "code": "%"}}, "Quantity: qty-3"),
        ({"effectivePeriod": {"start": "2026-02-01", "end": "2025-02-01"}}, "Period: per-1"),
        ({"subject": {"reference": "#nowhere"}}, "Reference: ref-1"),
    ],
)
def test_the_invariants_are_evaluated(change: dict[str, Any], key: str) -> None:
    good = json.loads(to_json(result(signed(), "neutrophil-pct")))
    assert broken_invariants(good, "Observation") == []
    broken = broken_invariants(good | change, "Observation")
    assert any(key in item for item in broken) if key else broken == []


def test_a_component_may_not_have_the_code_of_its_observation() -> None:
    good = json.loads(to_json(result(signed(), "neutrophil-pct")))
    again = good | {"component": [{"code": good["code"]}]}
    assert broken_invariants(again, "Observation") == ["Observation: obs-7"]
