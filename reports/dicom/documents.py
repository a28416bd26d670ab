"""A signed report as Encapsulated PDF (DICOM PS3.3 A.45.1): a pure function.

The PDF is the one that was signed, byte for byte. Its hash and that of the content stand in private
elements, and a later version points at the one it supersedes.
"""

import uuid
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from reports import codes
from reports.content import ReportContent
from reports.dicom import objects as d

GROUP: Final = 0x0077
CREATOR: Final = "HEMATOVISION"
PDF_SHA256, CONTENT_SHA256, VERSION = 0x01, 0x02, 0x03


@dataclass(frozen=True, slots=True)
class Document:
    """The PDF of a version, its hash, and the version that it supersedes."""

    report_id: uuid.UUID
    pdf: bytes
    pdf_sha256: str
    supersedes: uuid.UUID | None


def render_document(document: Document, content: ReportContent) -> bytes:
    """Return a signed report as a DICOM file."""
    study, signature = study_of(content), content.signature
    signed_at = signature.signed_at if signature else content.specimen.received_at
    found = d.begin(
        sop_class=EncapsulatedPDFStorage,
        identity=document.report_id,
        subject=subject_of(content),
        study=study,
        made_at=signed_at,
    )
    d.series(found, study, part="reports", modality="DOC", number=2)
    found.SeriesDescription = "Reports"
    found.ConversionType = "WSD"
    found.InstanceNumber = content.version
    found.ContentDate, found.ContentTime = d.when(signed_at)
    found.AcquisitionDateTime = "".join(d.when(content.specimen.collected_at))
    found.BurnedInAnnotation = "YES"
    found.RecognizableVisualFeatures = "NO"
    found.DocumentTitle = content.title
    title = codes.LABORATORY_REPORT
    found.ConceptNameCodeSequence = d.items(d.code(d.Term(title.code, "LN", title.display)))
    found.VerificationFlag = "VERIFIED" if signature else "UNVERIFIED"
    found.MIMETypeOfEncapsulatedDocument = "application/pdf"
    found.EncapsulatedDocumentLength = len(document.pdf)
    found.EncapsulatedDocument = document.pdf + b"\0" * (len(document.pdf) % 2)
    _sign(found, document, content)
    if document.supersedes:
        found.PredecessorDocumentsSequence = d.items(_predecessor(document.supersedes, study))
    return d.as_file(found)


def subject_of(content: ReportContent) -> d.Subject:
    """Return the patient as the report names him."""
    patient = content.patient
    return d.Subject(
        mrn=patient.mrn,
        issuer=patient.mrn_issuer,
        family_name=patient.family_name,
        given_name=patient.given_name,
        birth_date=patient.birth_date,
        sex=patient.sex.code,
    )


def study_of(content: ReportContent) -> d.Study:
    """Return the case as the report names it."""
    return d.Study(
        case_id=uuid.UUID(content.request.case_id),
        accession_number=content.request.accession_number,
        requester=content.request.ordering_clinician,
        collected_at=content.specimen.collected_at,
        laboratory=content.laboratory.name,
    )


def _sign(found: Dataset, document: Document, content: ReportContent) -> None:
    block = found.private_block(GROUP, CREATOR, create=True)
    block.add_new(PDF_SHA256, "LO", document.pdf_sha256)
    block.add_new(CONTENT_SHA256, "LO", content.content_sha256)
    block.add_new(VERSION, "IS", content.version)


def _predecessor(report_id: uuid.UUID, study: d.Study) -> Dataset:
    """Return where the superseded version is: same study, same series, its own instance."""
    instance = Dataset()
    instance.ReferencedSOPClassUID = EncapsulatedPDFStorage
    instance.ReferencedSOPInstanceUID = d.uid_of(report_id)
    group = Dataset()
    group.SeriesInstanceUID = d.uid_of(study.case_id, "dicom/reports")
    group.ReferencedSOPSequence = d.items(instance)
    found = Dataset()
    found.StudyInstanceUID = d.uid_of(study.case_id)
    found.ReferencedSeriesSequence = d.items(group)
    return found
