"""Handing out pictures and signed reports as DICOM; recorded first."""

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier.models import Case, Laboratory, SmearImage
from ml.dicom import LOSSY_NOTE
from ml.preprocessing import decode_image
from reports.dicom import objects as d
from reports.dicom.documents import Document, render_document
from reports.dicom.fields import Picture, render_field
from reports.models import Report
from reports.services.reading import read_content, read_pdf, record_download

if TYPE_CHECKING:
    from accounts.models import User


def export_image(image: SmearImage, *, actor: "User") -> bytes:
    """Return a picture as a DICOM file; who took it is recorded.

    Raises:
        OSError, ImageRejected: the stored picture can't be read.
    """
    with image.file.open("rb") as master:
        pixels = decode_image(master.read()).pixels
    data = render_field(_picture(image), pixels, _subject(image.case), _study(image.case))
    with transaction.atomic():
        record(
            actor=actor,
            action="image.exported",
            target=image,
            after={"form": "dicom", "sha256": image.original_sha256},
            patient=image.case.patient_id,
        )
    return data


def export_report(report: Report, *, actor: "User") -> bytes:
    """Return the PDF that was signed in a DICOM file; who took it is recorded.

    Raises:
        ReportTampered: what is stored is not what was signed.
    """
    pdf, content = read_pdf(report, actor=actor), read_content(report, actor=actor)
    document = Document(report.pk, pdf, report.pdf_sha256, report.supersedes_id)
    data = render_document(document, content)
    record_download(report, actor=actor, form="dicom")
    return data


def number_of(image: SmearImage) -> int:
    """Return the place of a picture among those of its case, from 1."""
    return list(image.case.images.values_list("pk", flat=True)).index(image.pk) + 1


def _picture(image: SmearImage) -> Picture:
    specimen, slide = image.case.specimen, image.slide
    microns, objective = image.microns_per_pixel, image.objective_power
    if slide and slide.microns_per_pixel and (box := image.slide_box):
        microns = slide.microns_per_pixel * (box[2] - box[0]) / image.width
    if slide:
        objective = slide.objective_power
    return Picture(
        image_id=image.pk,
        number=number_of(image),
        kind=image.kind,
        taken_at=image.uploaded_at,
        specimen=specimen.get_specimen_type_display(),
        stain=specimen.get_stain_display(),
        microns_per_pixel=microns,
        objective=objective,
        jpeg_bytes=image.original_bytes if _was_lossy(image) else 0,
    )


def _was_lossy(image: SmearImage) -> bool:
    """Once compressed with loss, always so; a file that doesn't say is taken at its format."""
    return image.original_format == "JPEG" or LOSSY_NOTE in image.notes


def _subject(case: Case) -> d.Subject:
    patient = case.patient
    return d.Subject(
        mrn=patient.mrn,
        issuer=patient.mrn_issuer,
        family_name=patient.family_name,
        given_name=patient.given_name,
        birth_date=patient.birth_date,
        sex=patient.sex,
    )


def _study(case: Case) -> d.Study:
    return d.Study(
        case_id=case.pk,
        accession_number=case.accession_number,
        requester=case.ordering_clinician,
        collected_at=case.specimen.collected_at,
        laboratory=Laboratory.current().name,
    )
