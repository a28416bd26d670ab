"""What all DICOM objects of a case share: identity, study, specimen, equipment, the file's form.

Objects of one thing always have the same UIDs: they are the thing's own UUID under the root 2.25
(DICOM PS3.5 B.2). Text is UTF-8; times are UTC and say so.
"""

import io
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian

UTF_8: Final = "ISO_IR 192"
MANUFACTURER: Final = "HematoVision"
IMPLEMENTATION: Final = UID("2.25.240716208273826372838471908318473062651")
SEXES: Final = {"female": "F", "male": "M", "other": "O"}
_SHORT, _LONG = 16, 64


@dataclass(frozen=True, slots=True)
class Term:
    """A coded term: value, scheme, meaning."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose blood it is."""

    mrn: str
    issuer: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str


@dataclass(frozen=True, slots=True)
class Study:
    """The case as a study: its id, number, requester, when the blood was taken, and by whom."""

    case_id: uuid.UUID
    accession_number: str
    requester: str
    collected_at: datetime
    laboratory: str


def uid_of(identity: uuid.UUID, part: str = "") -> UID:
    """Return the UID of a thing with a UUID, or of a named part of it."""
    of = uuid.uuid5(identity, part) if part else identity
    return UID(f"2.25.{of.int}")


def code(term: Term) -> Dataset:
    """Return a code sequence item."""
    item = Dataset()
    item.CodeValue = term.value
    item.CodingSchemeDesignator = term.scheme
    item.CodeMeaning = term.meaning
    return item


def items(*found: Dataset) -> Items:
    """Return a sequence of items."""
    return Items(found)


def begin(
    *, sop_class: UID, identity: uuid.UUID, subject: Subject, study: Study, made_at: datetime
) -> FileDataset:
    """Return a new object with patient, study, equipment and SOP common modules."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = uid_of(identity)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "HEMATOVISION_1"
    found = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    found.SpecificCharacterSet = UTF_8
    found.SOPClassUID = sop_class
    found.SOPInstanceUID = uid_of(identity)
    found.TimezoneOffsetFromUTC = "+0000"
    found.InstanceCreationDate, found.InstanceCreationTime = when(made_at)
    _patient(found, subject)
    _study(found, study)
    found.Manufacturer = MANUFACTURER
    found.ManufacturerModelName = MANUFACTURER
    found.DeviceSerialNumber = str(study.case_id)[:8]
    found.SoftwareVersions = "1"
    found.InstitutionName = text(study.laboratory)
    return found


def when(moment: datetime) -> tuple[str, str]:
    """Return DICOM's date and time of a moment, in UTC."""
    at = moment.astimezone(UTC)
    return at.strftime("%Y%m%d"), at.strftime("%H%M%S")


def text(value: str, *, longest: int = _LONG) -> str:
    """Return text that a field of DICOM takes: one line, no backslash, not too long."""
    return " ".join(value.replace("\\", "/").split())[:longest]


def person(family: str, given: str = "") -> str:
    """Return a person's name, family before given, without the signs that would part it."""
    parts = (
        text(part.translate(str.maketrans("^=\\", "   ")), longest=30) for part in (family, given)
    )
    return "^".join(parts)


def series(found: Dataset, study: Study, *, part: str, modality: str, number: int) -> None:
    """Set the series: all objects of one kind of a case are one."""
    found.Modality = modality
    found.SeriesInstanceUID = uid_of(study.case_id, f"dicom/{part}")
    found.SeriesNumber = number


def as_file(found: FileDataset) -> bytes:
    """Return the object as a DICOM file."""
    buffer = io.BytesIO()
    found.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _patient(found: Dataset, subject: Subject) -> None:
    found.PatientName = person(subject.family_name, subject.given_name)
    found.PatientID = text(subject.mrn)
    found.IssuerOfPatientID = text(subject.issuer)
    found.PatientBirthDate = subject.birth_date.strftime("%Y%m%d")
    found.PatientSex = SEXES.get(subject.sex, "")


def _study(found: Dataset, study: Study) -> None:
    found.StudyInstanceUID = uid_of(study.case_id)
    found.StudyID = text(study.accession_number, longest=_SHORT)
    found.AccessionNumber = text(study.accession_number, longest=_SHORT)
    found.StudyDate, found.StudyTime = when(study.collected_at)
    found.StudyDescription = "Blood smear"
    found.ReferringPhysicianName = person(study.requester) if study.requester else ""
