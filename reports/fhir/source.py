"""What resources are made of: a signed report with its files, and where it lives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from reports.content import ReportContent
from reports.fhir.values import TERMINOLOGY, Resource, coding, instant, reference

ORGANIZATION_ID: Final = "laboratory"
SHARED: Final = ("Patient", "Organization", "Practitioner", "PractitionerRole", "Device")
"""What reports have in common; a receiver may know it already."""
DEMONSTRATION: Final = coding(f"{TERMINOLOGY}/v3-ActReason", "HTEST", "test health data")
FINAL_STATUSES: Final[Mapping[str, str]] = {
    "preliminary": "preliminary",
    "final": "final",
    "corrected": "corrected",
    "appended": "final",
    "entered-in-error": "entered-in-error",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class SignedReport:
    """One signed version of a report.

    ``base`` is the site's address, under which identifiers have their systems; ``earlier`` are
    the contents of the versions before; ``images`` holds a JPEG for each pictured cell. Where
    SNOMED CT is licensed, ``with_snomed`` adds its codes.
    """

    content: ReportContent
    base: str
    report_id: str
    issued_at: datetime
    pdf_sha256: str
    pdf: bytes = b""
    images: Mapping[str, bytes] = field(default_factory=dict)
    earlier: tuple[ReportContent, ...] = ()
    with_snomed: bool = False

    @property
    def case_id(self) -> str:
        """The id that order, specimen and report share, each among its own kind."""
        return self.content.request.case_id

    @property
    def status(self) -> str:
        """The report's status in FHIR's words."""
        return self.content.status.code.replace("_", "-")

    @property
    def result_status(self) -> str:
        """The status of each result: an addition leaves the others final."""
        return FINAL_STATUSES[self.status]

    def system(self, name: str) -> str:
        """Return the system of a kind of identifiers or codes of this laboratory."""
        return system_of(self.base, name)

    def start(self, kind: str, ident: str) -> Resource:
        """Return a resource that has but its type, id, version and the mark of a demonstration."""
        meta: dict[str, Any] = {
            "versionId": str(self.content.version),
            "lastUpdated": instant(self.issued_at),
        }
        if self.content.laboratory.is_demo:
            system = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
            meta["security"] = [{"system": system, "code": "HTEST", "display": "test health data"}]
        return {"resourceType": kind, "id": ident, "meta": meta}

    @property
    def subject(self) -> dict[str, Any]:
        """The reference to the patient."""
        return reference("Patient", self.content.patient.id)

    @property
    def specimen(self) -> dict[str, Any]:
        """The reference to the specimen."""
        return reference("Specimen", self.case_id, self.content.request.accession_number)

    @property
    def order(self) -> dict[str, Any]:
        """The reference to the order."""
        return reference("ServiceRequest", self.case_id, self.content.request.accession_number)

    @property
    def laboratory(self) -> dict[str, Any]:
        """The reference to the laboratory."""
        return reference("Organization", ORGANIZATION_ID, self.content.laboratory.name)

    @property
    def signer(self) -> dict[str, Any] | None:
        """The reference to the signer, None without signature."""
        if (signature := self.content.signature) is None:
            return None
        return reference("Practitioner", signer_id(signature.signer_id), signature.printed_name)


def system_of(base: str, name: str) -> str:
    """Return the system of a kind of identifiers or codes of the laboratory at ``base``."""
    return f"{base}/fhir/ids/{quote(name, safe='/')}"


def signer_id(number: int) -> str:
    """Return the id of a person who signs."""
    return f"person-{number}"


def result_id(case_id: str, name: str) -> str:
    """Return the id of a result: the case's, then which result; at most 64 characters."""
    return f"{case_id}.{name.replace('_', '-')}"
