"""One version of a report: all that it says, its hashes, and how it is kept as JSON."""

from dataclasses import dataclass, replace
from typing import Any

from reports.canonical import ContentError, decode, encode, sha256_of
from reports.content.counts import (
    AnalyserResult,
    Delta,
    DifferentialRow,
    FieldCounts,
    NucleatedRedCells,
    OtherCells,
    WhiteCount,
)
from reports.content.findings import Consultation, CriticalResults, MorphologyLine
from reports.content.reading import CellPicture, Reading
from reports.content.request import (
    Coded,
    Layout,
    Letterhead,
    PatientIdentity,
    RequestDetails,
    SpecimenDetails,
)
from reports.content.signing import Amendment, ReplacedInterim, Signature, Withdrawal

SCHEMA_VERSION = 1


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
    fields: FieldCounts | None = None
    morphology: tuple[MorphologyLine, ...] = ()
    deltas: tuple[Delta, ...] = ()
    consultations: tuple[Consultation, ...] = ()
    critical: CriticalResults | None = None
    replaces: ReplacedInterim | None = None
    withdrawal: Withdrawal | None = None
    layout: Layout | None = None
    """None where the laboratory had chosen none: A4, the usual order."""
    analyser_results: tuple[AnalyserResult, ...] = ()

    @property
    def title(self) -> str:
        """The name of the document, without the patient's."""
        return f"Blood smear report {self.request.accession_number}, version {self.version}"

    @property
    def counted_platelets(self) -> AnalyserResult | None:
        """The analyser's platelets, which are judged in the place of an estimate."""
        return next(
            (item for item in self.analyser_results if item.analyte.code == "platelets"), None
        )

    @property
    def is_interim(self) -> bool:
        """True until a final version replaces it."""
        return self.status.code == "preliminary"

    @property
    def is_corrected(self) -> bool:
        """True if it says something else than the version before."""
        return self.status.code == "corrected"

    @property
    def is_appended(self) -> bool:
        """True if it says all that the version before says, and more."""
        return self.status.code == "appended"

    @property
    def is_withdrawn(self) -> bool:
        """True if it declares the versions before it to be entered in error."""
        return self.status.code == "entered-in-error"

    @property
    def is_cancelled(self) -> bool:
        """True if it takes an interim report back because its case ended without a result."""
        return self.status.code == "cancelled"

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
