"""What a report says: the frozen value that is previewed, signed, hashed and exported.

Every document (PDF, page, CSV) is a pure function of it. Without `signature` it is a draft:
`draft_sha256` is what the signer saw, `content_sha256` what the signature is bound to.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reports.canonical import ContentError, decode, encode, sha256_of

SCHEMA_VERSION = 1


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
class Reference:
    """The interval that judges a row: of its absolute count (10⁹/L) if known, else of its percent.

    `is_approved` tells whether a named person has approved it for this laboratory.
    """

    quantity: Coded
    unit: str
    low: Decimal
    high: Decimal
    version: int
    source: str
    is_approved: bool


@dataclass(frozen=True, slots=True)
class DifferentialRow:
    """One leukocyte class; percent, its 95 % interval and absolute (10⁹/L) None if unknown."""

    cell_type: Coded
    count: int
    percent: Decimal | None
    ci_low: Decimal | None
    ci_high: Decimal | None
    absolute: Decimal | None
    reference: Reference | None
    flag: Coded | None


@dataclass(frozen=True, slots=True)
class OtherCells:
    """Cells seen that don't count as leukocytes."""

    cell_type: Coded
    count: int


@dataclass(frozen=True, slots=True)
class NucleatedRedCells:
    """Erythroblasts seen, and how many there are for each 100 leukocytes."""

    count: int
    per_100_leukocytes: Decimal | None


@dataclass(frozen=True, slots=True)
class WhiteCount:
    """The leukocyte count of the analyser, 10⁹/L."""

    value: Decimal
    measured_at: datetime | None
    source: str


@dataclass(frozen=True, slots=True)
class Software:
    """A classifier that read images of the case, known by the hash of its weights."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells were read: what the software did, and what a human confirmed or changed."""

    software: tuple[Software, ...]
    images: int
    cells: int
    leukocytes: int
    leukocyte_target: int
    read_by_software: int
    referred: int
    named_by_human: int
    changed_by_human: int


@dataclass(frozen=True, slots=True)
class CellPicture:
    """A cell printed in the report, tied to its pixels and to the file it came from."""

    cell_id: str
    image_id: str
    image_sha256: str
    pixels_sha256: str
    x0: int
    y0: int
    x1: int
    y1: int
    cell_type: Coded
    is_named_by_human: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What a corrected report says differently from the version before."""

    item: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """Why a corrected report exists and what it supersedes."""

    supersedes_version: int
    supersedes_sha256: str
    superseded_at: datetime
    reason: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """The manifestation of the electronic signature (21 CFR 11.50)."""

    report_id: str
    signer_id: int
    signer_name: str
    signer_title: str
    meaning: Coded
    statement: str
    signed_at: datetime

    @property
    def printed_name(self) -> str:
        """Name and credentials."""
        if self.signer_title:
            return f"{self.signer_name}, {self.signer_title}"
        return self.signer_name


@dataclass(frozen=True, slots=True)
class ReportContent:
    """All that one version of a report says."""

    schema_version: int
    version: int
    status: Coded
    laboratory: Letterhead
    patient: PatientIdentity
    request: RequestDetails
    specimen: SpecimenDetails
    differential: tuple[DifferentialRow, ...]
    white_count: WhiteCount | None
    nucleated_red_cells: NucleatedRedCells
    other_cells: tuple[OtherCells, ...]
    interpretation: str
    reading: Reading
    pictures: tuple[CellPicture, ...]
    method: str
    limits: tuple[str, ...]
    amendment: Amendment | None
    signature: Signature | None

    @property
    def title(self) -> str:
        """The name of the document, without the patient's."""
        return f"Blood smear report {self.request.accession_number}, version {self.version}"

    @property
    def is_corrected(self) -> bool:
        """True from version 2 on."""
        return self.amendment is not None

    @property
    def content_sha256(self) -> str:
        """The hash of everything the report says, its signature included."""
        return sha256_of(self)

    @property
    def draft_sha256(self) -> str:
        """The hash of what the signer previewed: everything but the signature."""
        return sha256_of(self.unsigned())

    def unsigned(self) -> "ReportContent":
        """Return the content as the signer previewed it."""
        return replace(self, signature=None)

    def correcting(self, *, version: int, status: Coded, amendment: Amendment) -> "ReportContent":
        """Return the same findings as a later version that supersedes another."""
        return replace(self, version=version, status=status, amendment=amendment)

    def signed(self, signature: Signature) -> "ReportContent":
        """Return the same content under a signature."""
        return replace(self, signature=signature)

    def to_json(self) -> Any:
        """Return the content as plain JSON values."""
        return encode(self)

    @classmethod
    def from_json(cls, value: Any) -> "ReportContent":
        """Read stored content back.

        Raises:
            ContentError: it is of another schema version or doesn't fit the schema.
        """
        if not isinstance(value, dict) or value.get("schema_version") != SCHEMA_VERSION:
            raise ContentError("The report was written by another version of the schema.")
        content: ReportContent = decode(cls, value)
        return content
