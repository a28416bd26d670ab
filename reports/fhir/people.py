"""Whose blood it is, and who examined it: Patient, Organization, Practitioner and their role."""

from datetime import date
from typing import Any

from reports.content import ReportContent
from reports.fhir.source import ORGANIZATION_ID, SignedReport, signer_id, system_of
from reports.fhir.values import TERMINOLOGY, Resource, coding, concept, reference, without_gaps

IDENTIFIER_TYPES = f"{TERMINOLOGY}/v2-0203"


def make_patient(signed: SignedReport) -> Resource:
    """Return the patient as the report names them."""
    patient = signed.content.patient
    return signed.start("Patient", patient.id) | patient_body(
        mrn=patient.mrn,
        issuer=patient.mrn_issuer,
        name=(patient.family_name, patient.given_name),
        sex=patient.sex.code,
        born=patient.birth_date,
        base=signed.base,
    )


def patient_body(
    *, mrn: str, issuer: str, name: tuple[str, str], sex: str, born: date, base: str
) -> dict[str, Any]:
    """Return what a Patient says beside its id; ``name`` is family name and given names."""
    return {
        "identifier": [
            {
                "use": "usual",
                "type": concept(coding(IDENTIFIER_TYPES, "MR", "Medical record number")),
                "system": system_of(base, f"mrn/{issuer}"),
                "value": mrn,
                "assigner": {"display": issuer},
            }
        ],
        "active": True,
        "name": [{"use": "official", "family": name[0], "given": name[1].split()}],
        "gender": sex,
        "birthDate": born.isoformat(),
    }


def make_organization(signed: SignedReport) -> Resource:
    """Return the laboratory as its letterhead has it."""
    laboratory = signed.content.laboratory
    lines = [line.strip() for line in laboratory.address.splitlines() if line.strip()]
    return without_gaps(
        signed.start("Organization", ORGANIZATION_ID)
        | {
            "identifier": [{"system": signed.system("organization"), "value": ORGANIZATION_ID}],
            "active": True,
            "type": [concept(coding(f"{TERMINOLOGY}/organization-type", "prov"))],
            "name": laboratory.name,
            "telecom": [{"system": "phone", "value": laboratory.phone, "use": "work"}]
            if laboratory.phone
            else [],
            "address": [{"use": "work", "line": lines, "text": ", ".join(lines)}] if lines else [],
        }
    )


def make_practitioner(signed: SignedReport) -> Resource | None:
    """Return the signer, None if nobody signed."""
    if (signature := signed.content.signature) is None:
        return None
    ident = signer_id(signature.signer_id)
    return signed.start("Practitioner", ident) | {
        "identifier": [{"system": signed.system("person"), "value": ident}],
        "name": [{"use": "official", "text": signature.printed_name}],
    }


def make_role(signed: SignedReport) -> Resource | None:
    """Return what the signer is in the laboratory, None if nobody signed."""
    if (signature := signed.content.signature) is None:
        return None
    ident = signer_id(signature.signer_id)
    return signed.start("PractitionerRole", ident) | {
        "identifier": [{"system": signed.system("person-role"), "value": ident}],
        "active": True,
        "practitioner": reference("Practitioner", ident, signature.printed_name),
        "organization": signed.laboratory,
        "code": [concept(text="Signing pathologist")],
    }


def orderer(content: ReportContent) -> dict[str, Any] | None:
    """Return who asked, by name alone: the laboratory knows no more of them."""
    name = content.request.ordering_clinician
    return {"display": name} if name else None
