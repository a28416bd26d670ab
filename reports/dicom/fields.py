"""A picture of the smear as VL Microscopic Image (DICOM PS3.3 A.32.2): a pure function.

Pixels are written as they are, uncompressed; what is not known of the microscope is left open.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms
from pydicom.dataset import Dataset
from pydicom.uid import VLMicroscopicImageStorage

from reports.dicom import objects as d

_SLIDE: Final = d.Term("433466003", "SCT", "Microscope slide")
_STAINING: Final = d.Term("127790008", "SCT", "Staining")
_PROCESSING: Final = d.Term("111701", "DCM", "Processing type")
_IDENTIFIER: Final = d.Term("121041", "DCM", "Specimen Identifier")
_SUBSTANCE: Final = d.Term("424361007", "SCT", "Using substance")
_BRIGHTFIELD: Final = d.Term("111744", "DCM", "Brightfield illumination")
_FULL_SPECTRUM: Final = d.Term("414298005", "SCT", "Full Spectrum")
_BLOOD: Final = d.Term("119297000", "SCT", "Blood specimen")


_PROFILE_DATE: Final = slice(24, 36)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a case: which one, what it shows, how it was taken as far as is known.

    ``jpeg_bytes`` is the size of the JPEG that it came as, 0 if it was never compressed with loss;
    ``microns_per_pixel`` is the side of a pixel on the slide, ``objective`` the power of the lens.
    """

    image_id: uuid.UUID
    number: int
    kind: str
    taken_at: datetime
    specimen: str
    stain: str
    microns_per_pixel: float | None = None
    objective: float | None = None
    jpeg_bytes: int = 0


def render_field(
    picture: Picture, pixels: NDArray[np.uint8], subject: d.Subject, study: d.Study
) -> bytes:
    """Return uint8[H, W, 3] RGB as a DICOM file."""
    found = d.begin(
        sop_class=VLMicroscopicImageStorage,
        identity=picture.image_id,
        subject=subject,
        study=study,
        made_at=picture.taken_at,
    )
    d.series(found, study, part="pictures", modality="GM", number=1)
    found.SeriesDescription = "Pictures of the smear"
    found.InstanceNumber = picture.number
    found.ContentDate, found.ContentTime = d.when(picture.taken_at)
    found.ImageComments = "Single cell" if picture.kind == "cell" else "Field"
    found.PatientOrientation = None
    found.BurnedInAnnotation = "NO"
    found.AcquisitionContextSequence = d.items()
    _specimen(found, picture, study)
    _optical_path(found, picture)
    _image(found, picture, pixels)
    return d.as_file(found)


def _image(found: Dataset, picture: Picture, pixels: NDArray[np.uint8]) -> None:
    height, width = pixels.shape[:2]
    found.ImageType = ["ORIGINAL", "PRIMARY"]
    found.SamplesPerPixel = 3
    found.PhotometricInterpretation = "RGB"
    found.PlanarConfiguration = 0
    found.Rows, found.Columns = height, width
    found.BitsAllocated = found.BitsStored = 8
    found.HighBit = 7
    found.PixelRepresentation = 0
    found.LossyImageCompression = "01" if picture.jpeg_bytes else "00"
    if picture.jpeg_bytes:
        found.LossyImageCompressionRatio = round(pixels.size / picture.jpeg_bytes, 2)
        found.LossyImageCompressionMethod = "ISO_10918_1"
    if picture.microns_per_pixel:
        side = f"{picture.microns_per_pixel / 1000:.8f}"
        found.PixelSpacing = [side, side]
    data = np.ascontiguousarray(pixels).tobytes()
    found.PixelData = data + b"\0" * (len(data) % 2)
    found["PixelData"].VR = "OB"


def _specimen(found: Dataset, picture: Picture, study: d.Study) -> None:
    """State the slide and the blood on it, as the microscopic image has to (C.7.6.22)."""
    found.ContainerIdentifier = study.accession_number
    found.IssuerOfTheContainerIdentifierSequence = d.items()
    found.ContainerTypeCodeSequence = d.items(d.code(_SLIDE))
    blood = Dataset()
    blood.SpecimenIdentifier = study.accession_number
    blood.SpecimenUID = d.uid_of(study.case_id, "specimen")
    blood.IssuerOfTheSpecimenIdentifierSequence = d.items()
    blood.SpecimenTypeCodeSequence = d.items(d.code(_BLOOD))
    blood.SpecimenShortDescription = d.text(f"{picture.specimen}, smear")
    blood.SpecimenPreparationSequence = d.items(_staining(picture, study))
    found.SpecimenDescriptionSequence = d.items(blood)


def _staining(picture: Picture, study: d.Study) -> Dataset:
    """Return the step in which the smear was stained (TID 8001, 8003)."""
    step = Dataset()
    step.SpecimenPreparationStepContentItemSequence = d.items(
        _said(_IDENTIFIER, study.accession_number),
        _coded(_PROCESSING, _STAINING),
        _said(_SUBSTANCE, picture.stain),
    )
    return step


def _optical_path(found: Dataset, picture: Picture) -> None:
    path = Dataset()
    path.OpticalPathIdentifier = "1"
    path.IlluminationTypeCodeSequence = d.items(d.code(_BRIGHTFIELD))
    path.IlluminationColorCodeSequence = d.items(d.code(_FULL_SPECTRUM))
    if picture.objective:
        path.ObjectiveLensPower = f"{picture.objective:g}"
    path.ICCProfile = srgb_profile()
    path.ColorSpace = "SRGB"
    found.OpticalPathSequence = d.items(path)


@cache
def srgb_profile() -> bytes:
    """Return the profile of sRGB, which pictures are taken to be in, always the same bytes."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_PROFILE_DATE] = bytes(12)
    return bytes(profile)


def _said(name: d.Term, value: str) -> Dataset:
    item = Dataset()
    item.ValueType = "TEXT"
    item.ConceptNameCodeSequence = d.items(d.code(name))
    item.TextValue = value
    return item


def _coded(name: d.Term, value: d.Term) -> Dataset:
    item = Dataset()
    item.ValueType = "CODE"
    item.ConceptNameCodeSequence = d.items(d.code(name))
    item.ConceptCodeSequence = d.items(d.code(value))
    return item
