"""What was asked for and what was received: ServiceRequest and Specimen."""

from typing import Any

from reports.codes import SNOMED_SYSTEM, SPECIMENS, panel_code
from reports.fhir.people import IDENTIFIER_TYPES, orderer
from reports.fhir.source import SignedReport
from reports.fhir.values import (
    TERMINOLOGY,
    Resource,
    coding,
    concept,
    date_time,
    loinc,
    notes,
    without_gaps,
)

CONDITIONS = {"clotted": ("CLOT", "Clotted"), "haemolysed": ("HEM", "Hemolyzed")}
"""Conditions that HL7 table 0493 knows; the others are said in words."""


def accession(signed: SignedReport) -> dict[str, Any]:
    """Return the laboratory's own number of the case."""
    return {
        "type": concept(coding(IDENTIFIER_TYPES, "ACSN", "Accession ID")),
        "system": signed.system("accession"),
        "value": signed.content.request.accession_number,
    }


ORDER_STATUSES = {"preliminary": "active", "entered-in-error": "active", "cancelled": "revoked"}
"""How an order stands whose report isn't out, or isn't any more."""


def make_request(signed: SignedReport) -> Resource:
    """Return the order; its report is out, so it is completed."""
    request = signed.content.request
    return without_gaps(
        signed.start("ServiceRequest", signed.case_id)
        | {
            "identifier": [accession(signed)],
            "status": ORDER_STATUSES.get(signed.status, "completed"),
            "intent": "order",
            "priority": request.priority.code,
            "code": loinc(panel_code(signed.content.reading), text="Blood smear examination"),
            "subject": signed.subject,
            "authoredOn": date_time(request.submitted_at) if request.submitted_at else None,
            "requester": orderer(signed.content),
            "performer": [signed.laboratory],
            "reasonCode": [concept(text=request.clinical_details)]
            if request.clinical_details
            else [],
            "specimen": [signed.specimen],
        }
    )


def make_specimen(signed: SignedReport) -> Resource:
    """Return the blood as it came, and the smear that was made of it."""
    specimen = signed.content.specimen
    snomed = SPECIMENS.get(specimen.specimen_type.code) if signed.with_snomed else None
    kind = [coding(SNOMED_SYSTEM, snomed.code, snomed.display)] if snomed else []
    known = CONDITIONS.get(specimen.condition.code)
    state = [coding(f"{TERMINOLOGY}/v2-0493", *known)] if known else []
    is_good = specimen.condition.code == "satisfactory"
    return without_gaps(
        signed.start("Specimen", signed.case_id)
        | {
            "identifier": [accession(signed)],
            "accessionIdentifier": accession(signed),
            "status": "available" if is_good else "unsatisfactory",
            "type": concept(*kind, text=specimen.specimen_type.display),
            "subject": signed.subject,
            "receivedTime": date_time(specimen.received_at),
            "request": [signed.order],
            "collection": {"collectedDateTime": date_time(specimen.collected_at)},
            "processing": [{"description": f"Smear, stain: {specimen.stain.display}"}],
            "condition": [concept(*state, text=specimen.condition.display)],
            "note": notes([specimen.condition_note]),
        }
    )
