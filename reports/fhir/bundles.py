"""A signed report as one Bundle: a document to read, or a transaction to store."""

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from reports.codes import LABORATORY_REPORT
from reports.exceptions import DocumentFailed
from reports.fhir.devices import make_devices
from reports.fhir.people import make_organization, make_patient, make_practitioner, make_role
from reports.fhir.report import (
    make_media,
    make_provenance,
    make_report,
    narrative,
    superseded,
    version_reference,
)
from reports.fhir.requests import make_request, make_specimen
from reports.fhir.results import make_results
from reports.fhir.rules import find_problems
from reports.fhir.source import SHARED, SignedReport
from reports.fhir.values import Resource, date_time, instant, loinc, reference, without_gaps

NAMESPACE = uuid.UUID("5d0c6f0e-6a3b-5a43-9b53-5fd2a7c6b5a1")
COMPOSITION_STATUSES = {
    "preliminary": "preliminary",
    "final": "final",
    "corrected": "amended",
    "appended": "amended",
    "entered-in-error": "entered-in-error",
    "cancelled": "entered-in-error",
}


def make_resources(signed: SignedReport) -> list[Resource]:
    """Return all resources of a report, each once, the report first."""
    results = make_results(signed)
    people = (make_organization(signed), make_practitioner(signed), make_role(signed))
    found = [
        make_report(signed, results),
        make_patient(signed),
        *(person for person in people if person),
        make_request(signed),
        make_specimen(signed),
        *make_devices(signed),
        *results,
        *make_media(signed),
        *(item for item in [make_provenance(signed)] if item),
    ]
    return list({(item["resourceType"], item["id"]): item for item in found}.values())


def make_document(signed: SignedReport) -> Resource:
    """Return the report as a document: a Composition, then all that it refers to.

    Raises:
        DocumentFailed: a resource breaks a rule of R4.
    """
    resources = make_resources(signed)
    entries = [
        {"fullUrl": _url(signed, item), "resource": item}
        for item in [_composition(signed, resources), *resources]
    ]
    return _checked(
        {
            "resourceType": "Bundle",
            "id": f"{signed.report_id}",
            "meta": {"lastUpdated": instant(signed.issued_at)},
            "identifier": {"system": signed.system("document"), "value": signed.report_id},
            "type": "document",
            "timestamp": instant(signed.issued_at),
            "entry": entries,
        }
    )


def make_transaction(signed: SignedReport) -> Resource:
    """Return the report as a transaction that can be sent twice, and a correction after it.

    Patient, laboratory, signer and software are made only where their identifier is unknown;
    order, specimen, results and report take the place of what has the same identifier.

    Raises:
        DocumentFailed: a resource breaks a rule of R4.
    """
    resources = make_resources(signed)
    urls = {f"{item['resourceType']}/{item['id']}": _urn(item) for item in resources}
    versioned = {f"DiagnosticReport/{signed.case_id}/_history/{signed.content.version}"}
    own = urls[f"DiagnosticReport/{signed.case_id}"]
    urls |= dict.fromkeys(versioned, own)
    entries = [
        {
            "fullUrl": _urn(item),
            "resource": _relinked(_without_id(item), urls),
            "request": _request(item),
        }
        for item in resources
    ]
    return _checked({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _composition(signed: SignedReport, resources: list[Resource]) -> Resource:
    content = signed.content
    observations = [item for item in resources if item["resourceType"] == "Observation"]
    return without_gaps(
        signed.start("Composition", signed.report_id)
        | {
            "text": narrative(content),
            "identifier": {"system": signed.system("document"), "value": signed.report_id},
            "status": COMPOSITION_STATUSES[signed.status],
            "type": loinc(LABORATORY_REPORT, text="Blood smear report"),
            "subject": signed.subject,
            "date": date_time(signed.issued_at),
            "author": [signed.signer or signed.laboratory],
            "title": content.title,
            "attester": list(_attesters(signed)),
            "custodian": signed.laboratory,
            "relatesTo": [
                {"code": "replaces", "targetReference": version_reference(signed, number)}
                for number in superseded(content)
            ],
            "section": [
                {
                    "title": "Blood smear",
                    "text": narrative(content),
                    "entry": [
                        reference("DiagnosticReport", signed.case_id),
                        *(reference("Observation", item["id"]) for item in observations),
                    ],
                }
            ],
        }
    )


def _attesters(signed: SignedReport) -> Iterator[dict[str, Any]]:
    if (signature := signed.content.signature) and signed.signer:
        when = date_time(signature.signed_at)
        yield {"mode": "legal", "time": when, "party": signed.signer}


def _url(signed: SignedReport, resource: Resource) -> str:
    return f"{signed.base}/fhir/{resource['resourceType']}/{resource['id']}"


def _urn(resource: Resource) -> str:
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, resource['resourceType'] + '/' + resource['id'])}"


def _without_id(resource: Resource) -> Resource:
    """Leave id and version to the receiver; Provenance has no identifier and keeps its id."""
    meta = {name: item for name, item in resource.get("meta", {}).items() if name == "security"}
    kept = {
        name: item
        for name, item in resource.items()
        if name != "meta" and (name != "id" or resource["resourceType"] == "Provenance")
    }
    return without_gaps(kept | {"meta": meta})


def _request(resource: Resource) -> dict[str, str]:
    kind = resource["resourceType"]
    if "identifier" not in resource:
        return {"method": "PUT", "url": f"{kind}/{resource['id']}"}
    first = resource["identifier"][0]
    query = f"identifier={quote(first['system'], safe='')}%7C{quote(first['value'], safe='')}"
    if kind in SHARED:
        return {"method": "POST", "url": kind, "ifNoneExist": query}
    return {"method": "PUT", "url": f"{kind}?{query}"}


def _relinked(value: Any, urls: dict[str, str]) -> Any:
    """Return ``value`` with references to what is in the bundle by its temporary address."""
    if isinstance(value, list):
        return [_relinked(item, urls) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: urls.get(item, item) if name == "reference" else _relinked(item, urls)
        for name, item in value.items()
    }


def _checked(bundle: Resource) -> Resource:
    problems = find_problems(bundle)
    if problems:
        raise DocumentFailed(f"The FHIR Bundle can't be made: {problems[0]}")
    return bundle
