"""Taking pictures into a case, and out again before it is submitted."""

import errno
import hashlib
import io
import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from numpy.typing import NDArray
from PIL import Image

from accounts.audit import record
from classifier import guards, policies
from classifier.enums import CaseStatus, ImageKind
from classifier.exceptions import GuardFailed, ImageRefused, NotPermitted, TransitionRefused
from classifier.findings import Box
from classifier.models import Case, Cell, Slide, SmearImage
from classifier.services.quotas import why_beyond
from classifier.services.transitions import lock_case
from classifier.stated_patients import differences
from ml.dicom import StatedPatient, is_dicom, read_dicom_picture
from ml.errors import ImageRejected
from ml.fields.quality import judge_field
from ml.kinds import guess_kind
from ml.preprocessing import DecodedImage, decode_image, to_png

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

THUMBNAIL_SIDE = 320
NO_ROOM = (
    "The server's disk is full: this picture was not stored. All that was stored before is there. "
    "Keep the file, tell your administrator, and add it again."
)
NOT_STORED = (
    "The store of pictures does not answer: this picture was not stored. Keep the file and try "
    "again in some minutes; if that fails too, tell your administrator."
)
LEAST_JUDGED = 24
"""Pixels: in smaller pictures there is nothing to judge."""


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """The files of an image, still known once its row is gone."""

    storage: Storage
    names: tuple[str, ...]

    @classmethod
    def of(cls, image: SmearImage) -> Self:
        """Return the files that belong to ``image``."""
        names = (image.file.name, image.thumbnail.name)
        return cls(image.file.storage, tuple(str(name) for name in names if name))

    def delete(self) -> None:
        """Remove the files."""
        for name in self.names:
            self.storage.delete(name)


@dataclass(frozen=True, slots=True)
class SlideRegion:
    """The place on a slide from which a field is taken, in pixels of the slide."""

    slide: Slide
    box: Box

    def columns(self) -> dict[str, Any]:
        """Return the image's columns that keep it."""
        names = ("slide_x0", "slide_y0", "slide_x1", "slide_y1")
        return {"slide": self.slide, **dict(zip(names, self.box, strict=True))}


def add_image(
    *,
    case_id: uuid.UUID,
    actor: "User",
    data: bytes,
    file_name: str,
    kind: str = "",
    region: SlideRegion | None = None,
) -> SmearImage:
    """Take one file into a registered case: decoded, freed of metadata, hashed, audited.

    ``kind`` overrules the guess whether it shows a single cell or a field; ``region`` is where
    it was taken from, if from a slide.

    Raises:
        ImageRefused: the file is too large, unreadable, already in the case, of another patient,
            or more than the person may add within a day.
        NotPermitted, TransitionRefused: not by this person, or not any more.
    """
    decoded, optics = _decode(data, case_id, actor)
    original = _original_columns(data, decoded, file_name)
    with transaction.atomic():
        case = lock_open_case(case_id, actor)
        _refuse_duplicate(case, original["original_sha256"])
        if region is None and (beyond := why_beyond(actor, size=len(data))):
            raise ImageRefused("quota", beyond)
        image = SmearImage(
            case=case,
            uploaded_by=actor,
            **original,
            **_picture_columns(decoded, kind or guess_kind(decoded.pixels)),
            **(region.columns() if region else {}),
            **optics,
        )
        _store(image, decoded.pixels)
        _record_added(image, actor, region)
    return image


@transaction.atomic
def remove_image(*, image: SmearImage, actor: "User", reason: str = "") -> None:
    """Take a picture out of a case that is not submitted yet; the audit trail keeps its hash.

    Files that a picture of another case shares, as it was registered again, stay.
    """
    case = lock_open_case(image.case_id, actor)
    if image.runs.exists():
        raise TransitionRefused("This image was classified already and stays with the case.")
    if problem := guards.nothing_held(case):
        raise GuardFailed(problem)
    record(
        actor=actor,
        action="image.removed",
        target=image,
        before={"sha256": image.original_sha256, "kind": image.kind},
        reason=reason,
        patient=case.patient_id,
    )
    stored = StoredFiles.of(image)
    image.cells.all().delete()
    image.delete()
    if not SmearImage.objects.filter(file=stored.names[0]).exists():
        transaction.on_commit(stored.delete)


@transaction.atomic
def set_kind(*, image: SmearImage, actor: "User", kind: str) -> SmearImage:
    """Overrule whether a picture shows a single cell or a field."""
    case = lock_open_case(image.case_id, actor)
    before = image.kind
    image.kind = ImageKind(kind)
    with image.file.open("rb") as master:
        image.quality = _judge(kind, decode_image(master.read()).pixels)
    image.save(update_fields=["kind", "quality"])
    _sync_full_frame_cell(image)
    record(
        actor=actor,
        action="image.kind_changed",
        target=image,
        before={"kind": before},
        after={"kind": image.kind},
        patient=case.patient_id,
    )
    return image


def _original_columns(data: bytes, decoded: DecodedImage, file_name: str) -> dict[str, Any]:
    """Return the columns that keep what is known of the uploaded file."""
    return {
        "original_name": file_name[-255:],
        "original_format": decoded.format,
        "original_bytes": len(data),
        "original_sha256": hashlib.sha256(data).hexdigest(),
        "notes": list(decoded.notes),
    }


def _picture_columns(decoded: DecodedImage, kind: str) -> dict[str, Any]:
    """Return the columns that say what the picture shows, how large and how well."""
    height, width = decoded.pixels.shape[:2]
    return {
        "kind": kind,
        "quality": _judge(kind, decoded.pixels),
        "width": width,
        "height": height,
    }


def _record_added(image: SmearImage, actor: "User", region: SlideRegion | None) -> None:
    origin = {"slide": region.slide.pk, "box": region.box} if region else {}
    record(
        actor=actor,
        action="image.added",
        target=image,
        after={"sha256": image.original_sha256, "kind": image.kind, **origin},
        patient=image.case.patient_id,
    )


def _decode(data: bytes, case_id: uuid.UUID, actor: "User") -> tuple[DecodedImage, dict[str, Any]]:
    """Return the picture, and the columns of scale and lens if its file states them."""
    if len(data) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES // 1024**2
        raise ImageRefused("too_large", f"The file is larger than {limit} MB.")
    try:
        if not is_dicom(data):
            return decode_image(data), {}
        found = read_dicom_picture(data)
    except ImageRejected as error:
        raise ImageRefused(error.code, str(error)) from error
    refuse_other_patient(case_id=case_id, actor=actor, stated=found.patient)
    optics = {
        "microns_per_pixel": found.microns_per_pixel,
        "objective_power": found.objective_power,
    }
    return DecodedImage(pixels=found.pixels, format="DICOM", notes=found.notes), optics


def refuse_other_patient(*, case_id: uuid.UUID, actor: "User", stated: StatedPatient) -> None:
    """Refuse a file that says it is of another patient than the case; the attempt is audited.

    Raises:
        ImageRefused: it does.
        NotPermitted, TransitionRefused: the case takes no pictures from this person now.
    """
    with transaction.atomic():
        case = lock_open_case(case_id, actor)
        differing = differences(stated, case.patient)
        if differing:
            record(
                actor=actor,
                action="image.refused",
                target=case,
                after={"code": "wrong_patient", "differing": differing},
                patient=case.patient_id,
            )
    if differing:
        words = " and ".join(differing)
        raise ImageRefused(
            "wrong_patient",
            f"The file is of another patient: its {words} is not that of this case. "
            "Nothing was stored.",
        )


def _judge(kind: str, pixels: NDArray[np.uint8]) -> dict[str, Any]:
    """Judge a field while the technician can still take another picture of it."""
    side = min(pixels.shape[:2])
    if kind != ImageKind.FIELD or side < LEAST_JUDGED:
        return {}
    return judge_field(pixels).as_json()


def lock_open_case(case_id: uuid.UUID, actor: "User") -> Case:
    """Return the case with its row locked; refuse unless ``actor`` may change its images now."""
    case = lock_case(case_id)
    if not policies.can_submit(actor, case):
        raise NotPermitted("You may not change the images of this case.")
    if case.status != CaseStatus.REGISTERED:
        raise TransitionRefused("The case was submitted; its images can't be changed any more.")
    return case


def _refuse_duplicate(case: Case, sha256: str) -> None:
    twin = case.images.filter(original_sha256=sha256).first()
    if twin:
        raise ImageRefused("duplicate", f"The case already holds this picture: {twin}.")


def _store(image: SmearImage, pixels: NDArray[np.uint8]) -> None:
    """Write master and thumbnail, then the rows; whatever fails leaves no file behind."""
    try:
        image.file.save("", ContentFile(to_png(pixels)), save=False)
        image.thumbnail.save("", ContentFile(make_thumbnail(pixels)), save=False)
        image.save(force_insert=True)
        _sync_full_frame_cell(image)
    except OSError as error:
        StoredFiles.of(image).delete()
        raise _not_stored(error) from error
    except Exception:
        StoredFiles.of(image).delete()
        raise


def _not_stored(error: OSError) -> ImageRefused:
    """Tell the technician what became of the picture, and what to do with it."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return ImageRefused("no_room", NO_ROOM)
    logger.error("A picture could not be stored.", exc_info=error)
    return ImageRefused("not_stored", NOT_STORED)


def _sync_full_frame_cell(image: SmearImage) -> None:
    """Keep the one full-frame cell of a single-cell picture; a field has none of its own."""
    if image.kind == ImageKind.CELL:
        Cell.objects.get_or_create(image=image, x0=0, y0=0, x1=image.width, y1=image.height)
    else:
        image.cells.all().delete()


def make_thumbnail(pixels: NDArray[np.uint8], *, side: int = THUMBNAIL_SIDE) -> bytes:
    """Return a WebP preview, at most ``side`` pixels on its longer side."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, format="WEBP", quality=85)
    return buffer.getvalue()
