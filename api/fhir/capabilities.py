"""What this server can do, as a CapabilityStatement made of the same table that it searches by."""

from typing import Any

from django.conf import settings

from api.fhir.catalogue import KINDS, SEARCHED
from api.fhir.registers import DEVICE_KINDS, PATIENT_KINDS
from reports.fhir.values import Resource

ONLY_READ = ("Media", "Organization", "Practitioner", "PractitionerRole", "Binary")
DATE = "2026-11-21"
BY_BODY = "Taken only from the body of POST Patient/_search: it names a person."


def capability_statement() -> Resource:
    """Return the statement; it changes only with the product."""
    url = f"{settings.SITE_URL}/fhir"
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{url}/metadata",
        "name": "HematoVision",
        "title": "HematoVision: signed blood smear reports",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "description": "Read and search of signed reports and of what they are made of.",
        "software": {"name": "HematoVision"},
        "implementation": {"description": "HematoVision", "url": url},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "description": "A bearer token with the scope fhir:read. Its owner's rights "
                    "bound what it shows, and each patient read is recorded.",
                },
                "resource": [
                    *(_searched(kind) for kind in SEARCHED),
                    _resource("Patient", PATIENT_KINDS),
                    _resource("Device", DEVICE_KINDS),
                    *(_resource(kind, {}) for kind in ONLY_READ),
                ],
            }
        ],
    }


def _searched(kind: str) -> dict[str, Any]:
    definition = KINDS[kind]
    kinds = {name: parameter.kind for name, parameter in definition.parameters.items()}
    found = _resource(kind, kinds)
    if definition.includes:
        found["searchInclude"] = [f"{kind}:{name}" for name in definition.includes]
    return found


def _resource(kind: str, parameters: Any) -> dict[str, Any]:
    codes = ["read", *(["search-type"] if parameters else [])]
    if kind == "DiagnosticReport":
        codes += ["vread", "history-instance"]
    found: dict[str, Any] = {
        "type": kind,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned" if kind == "DiagnosticReport" else "no-version",
    }
    if kind == "DiagnosticReport":
        found["readHistory"] = True
    if parameters:
        found["searchParam"] = [_parameter(kind, *item) for item in parameters.items()]
    return found


def _parameter(kind: str, name: str, its_kind: str) -> dict[str, str]:
    said = {"name": name, "type": its_kind}
    hidden = kind == "Patient" and name not in ("_id", "gender")
    return said | ({"documentation": BY_BODY} if hidden else {})
