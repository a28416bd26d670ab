"""Who issues the report, and whose blood was examined for whom."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Coded:
    """A code of ours with the word that a reader sees."""

    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Letterhead:
    """The laboratory that issues the report."""

    name: str
    address: str
    phone: str
    director: str
    accreditation: str
    is_demo: bool
    clia: str = ""
    """The CLIA number of the laboratory that performed the examination."""


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """Whose blood it is; the age is the one at collection."""

    id: str
    mrn: str
    mrn_issuer: str
    family_name: str
    given_name: str
    birth_date: date
    sex: Coded
    age_years: int

    @property
    def full_name(self) -> str:
        """The name as it stands on every page."""
        return f"{self.family_name}, {self.given_name}"


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """The order: case, urgency, who asked and why."""

    case_id: str
    accession_number: str
    priority: Coded
    ordering_clinician: str
    clinical_details: str
    submitted_at: datetime | None
    submitted_by: str


@dataclass(frozen=True, slots=True)
class SpecimenDetails:
    """What was received, when and in what state."""

    specimen_type: Coded
    stain: Coded
    condition: Coded
    condition_note: str
    collected_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Layout:
    """How the laboratory prints: paper, order of sections, footer, logo; of which version.

    The logo is known by the hash of its PNG; `logo_alt` says what it shows.
    """

    version: int
    paper: str
    sections: tuple[str, ...]
    footer: str = ""
    logo_sha256: str = ""
    logo_alt: str = ""
