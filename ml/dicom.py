"""Reads a picture of a smear that comes as a DICOM file: pixels, scale, and whose it says it is."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels import get_decoder, pixel_array
from pydicom.uid import (
    UID,
    SecondaryCaptureImageStorage,
    VLMicroscopicImageStorage,
    VLPhotographicImageStorage,
    VLSlideCoordinatesMicroscopicImageStorage,
    VLWholeSlideMicroscopyImageStorage,
)

from ml.errors import ImageRejected
from ml.preprocessing import MAX_PIXELS, MIN_SIDE

PICTURES: Final = (
    VLMicroscopicImageStorage,
    VLSlideCoordinatesMicroscopicImageStorage,
    VLPhotographicImageStorage,
    SecondaryCaptureImageStorage,
)
"""The kinds of DICOM files that are pictures of a field or a cell."""

LOSSY_NOTE: Final = "The DICOM file says that the picture was compressed with loss."
_COLOUR: Final = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
_PREAMBLE, _MARK = 128, b"DICM"
_MICRONS_IN_MM: Final = 1000
_MOST_MICRONS: Final = 50.0
_MOST_POWER: Final = 200.0


@dataclass(frozen=True, slots=True)
class StatedPatient:
    """Whose picture the file says it is; empty where it doesn't say. Compared, never stored."""

    mrn: str
    family_name: str
    given_name: str
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class DicomPicture:
    """uint8[H, W, 3] RGB with what the file states of scale (µm a pixel), lens and patient."""

    pixels: NDArray[np.uint8]
    notes: tuple[str, ...]
    patient: StatedPatient
    microns_per_pixel: float | None
    objective_power: float | None


def is_dicom(data: bytes) -> bool:
    """Tell a DICOM file by its mark (PS3.10, 7.1)."""
    return data[_PREAMBLE : _PREAMBLE + len(_MARK)] == _MARK


def read_dicom_picture(data: bytes) -> DicomPicture:
    """Read a single colour picture of 8 bits; raise ImageRejected with a sentence for the rest."""
    if _DEFLATED in data:  # inflated while it is read, however large it turns out
        raise ImageRejected("unsupported_format", "Deflated DICOM files are not read.")
    try:
        found = dcmread(io.BytesIO(data))
    except Exception as error:  # a reader fed hostile bytes may raise nearly anything
        raise _damaged() from error
    try:
        _check(found)
        pixels = pixel_array(found)
        picture = DicomPicture(
            pixels=np.ascontiguousarray(pixels, dtype=np.uint8),
            notes=(LOSSY_NOTE,) if found.get("LossyImageCompression") == "01" else (),
            patient=_patient(found),
            microns_per_pixel=_microns(found),
            objective_power=_power(found),
        )
    except ImageRejected:
        raise
    except Exception as error:
        raise _damaged() from error
    if picture.pixels.shape != (found.Rows, found.Columns, 3):
        raise _damaged()
    return picture


def _check(found: FileDataset) -> None:
    """Refuse what isn't one small enough colour picture, before any pixel is decoded."""
    _check_class(found)
    if int(found.get("NumberOfFrames") or 1) > 1:
        raise ImageRejected(
            "animated", f"The DICOM file holds {found.NumberOfFrames} frames; send them one by one."
        )
    if found.get("SamplesPerPixel") != 3 or found.PhotometricInterpretation not in _COLOUR:
        raise ImageRejected(
            "no_colour",
            "The DICOM picture has no colour, or a palette: stained cells can't be read from it.",
        )
    if (found.BitsAllocated, found.BitsStored) != (8, 8):
        raise ImageRejected("unsupported_format", "The DICOM picture has not 8 bits a channel.")
    if found.Rows * found.Columns > MAX_PIXELS:
        millions = MAX_PIXELS // 1_000_000
        raise ImageRejected(
            "too_many_pixels", f"The picture has more than {millions} million pixels."
        )
    if min(found.Rows, found.Columns) < MIN_SIDE:
        raise ImageRejected(
            "too_small",
            f"The picture is {found.Columns} x {found.Rows} pixels; at least {MIN_SIDE} on each "
            "side are needed.",
        )
    if found.get("BurnedInAnnotation") == "YES":
        raise ImageRejected(
            "burned_in",
            "The DICOM file says that text is burned into the picture; it may name people.",
        )
    _check_decoder(found)


def _check_class(found: FileDataset) -> None:
    if "SOPClassUID" not in found:
        raise _damaged()
    kind = UID(found.SOPClassUID)
    if kind == VLWholeSlideMicroscopyImageStorage:
        raise ImageRejected(
            "slide", "This DICOM file is of a whole slide. Add all its files at once, as a slide."
        )
    if kind not in PICTURES:
        name = kind.name if kind.name != str(kind) else "of an unknown kind"
        raise ImageRejected(
            "unsupported_format",
            f"This DICOM file is no picture of a smear ({name}). Microscopic and photographic "
            "images and secondary captures can be added.",
        )
    if "PixelData" not in found:
        raise _damaged()


def _check_decoder(found: FileDataset) -> None:
    syntax = found.file_meta.TransferSyntaxUID
    try:
        is_read = get_decoder(syntax).is_available
    except NotImplementedError:
        is_read = False
    if not is_read:
        raise ImageRejected(
            "unsupported_format",
            f"The DICOM picture is compressed in a way that is not read here ({syntax.name}).",
        )


def _patient(found: Dataset) -> StatedPatient:
    name = found.get("PatientName")
    return StatedPatient(
        mrn=str(found.get("PatientID") or "").strip(),
        family_name=str(name.family_name if name else "").strip(),
        given_name=str(name.given_name if name else "").strip(),
        birth_date=_day(str(found.get("PatientBirthDate") or "")),
    )


def _day(text: str) -> date | None:
    return datetime.strptime(text, "%Y%m%d").date() if text else None  # noqa: DTZ007 - a day


def _microns(found: Dataset) -> float | None:
    """Return the side of a pixel on the slide, if it is stated, square and of a microscope."""
    spacing = found.get("PixelSpacing")
    if not spacing:
        return None
    down, across = (float(side) * _MICRONS_IN_MM for side in spacing)
    is_square = abs(down - across) <= 0.01 * max(down, across)
    return down if is_square and 0 < down <= _MOST_MICRONS else None


def _power(found: Dataset) -> float | None:
    paths = found.get("OpticalPathSequence") or ()
    powers = {float(path.ObjectiveLensPower) for path in paths if path.get("ObjectiveLensPower")}
    power = powers.pop() if len(powers) == 1 else 0.0
    return power if 0 < power <= _MOST_POWER else None


def _damaged() -> ImageRejected:
    return ImageRejected("truncated", "The DICOM file is damaged, incomplete or not valid.")
