"""Taking pictures into a case, and out again before it is submitted."""

import hashlib
import io
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from numpy.typing import NDArray
from PIL import Image

from accounts.audit import record
from classifier import policies
from classifier.enums import CaseStatus, ImageKind
from classifier.exceptions import ImageRefused, NotPermitted, TransitionRefused
from classifier.models import Case, Cell, SmearImage
from classifier.services.transitions import lock_case
from ml.errors import ImageRejected
from ml.kinds import guess_kind
from ml.preprocessing import DecodedImage, decode_image, to_png

if TYPE_CHECKING:
    from accounts.models import User

THUMBNAIL_SIDE = 320


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """The files of an image, still known once its row is gone."""

    storage: Storage
    names: tuple[str, ...]

    @classmethod
    def of(cls, image: SmearImage) -> Self:
        """Return the files that belong to ``image``."""
        return cls(image.file.storage, (str(image.file.name), str(image.thumbnail.name)))

    def delete(self) -> None:
        """Remove the files."""
        for name in self.names:
            self.storage.delete(name)


def add_image(
    *, case_id: uuid.UUID, actor: "User", data: bytes, file_name: str, kind: str = ""
) -> SmearImage:
    """Take one file into a registered case: decoded, freed of metadata, hashed, audited.

    ``kind`` overrules the guess whether it shows a single cell or a field.

    Raises:
        ImageRefused: the file is too large, unreadable or already in the case.
        NotPermitted, TransitionRefused: not by this person, or not any more.
    """
    decoded = _decode(data)
    sha256 = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        case = _lock_open_case(case_id, actor)
        _refuse_duplicate(case, sha256)
        image = SmearImage(
            case=case,
            kind=kind or guess_kind(decoded.pixels),
            width=decoded.pixels.shape[1],
            height=decoded.pixels.shape[0],
            original_name=file_name[-255:],
            original_format=decoded.format,
            original_bytes=len(data),
            original_sha256=sha256,
            notes=list(decoded.notes),
            uploaded_by=actor,
        )
        _store(image, decoded.pixels)
        record(
            actor=actor,
            action="image.added",
            target=image,
            after={"sha256": sha256, "kind": image.kind},
            patient=case.patient_id,
        )
    return image


@transaction.atomic
def remove_image(*, image: SmearImage, actor: "User", reason: str = "") -> None:
    """Take a picture out of a case that is not submitted yet; the audit trail keeps its hash."""
    case = _lock_open_case(image.case_id, actor)
    if image.runs.exists():
        raise TransitionRefused("This image was classified already and stays with the case.")
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
    transaction.on_commit(stored.delete)


@transaction.atomic
def set_kind(*, image: SmearImage, actor: "User", kind: str) -> SmearImage:
    """Overrule whether a picture shows a single cell or a field."""
    case = _lock_open_case(image.case_id, actor)
    before = image.kind
    image.kind = ImageKind(kind)
    image.save(update_fields=["kind"])
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


def _decode(data: bytes) -> DecodedImage:
    if len(data) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES // 1024**2
        raise ImageRefused("too_large", f"The file is larger than {limit} MB.")
    try:
        return decode_image(data)
    except ImageRejected as error:
        raise ImageRefused(error.code, str(error)) from error


def _lock_open_case(case_id: uuid.UUID, actor: "User") -> Case:
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
    """Write master and thumbnail, then the rows; a failing row leaves no file behind."""
    image.file.save("", ContentFile(to_png(pixels)), save=False)
    image.thumbnail.save("", ContentFile(make_thumbnail(pixels)), save=False)
    try:
        image.save(force_insert=True)
        _sync_full_frame_cell(image)
    except Exception:
        StoredFiles.of(image).delete()
        raise


def _sync_full_frame_cell(image: SmearImage) -> None:
    """Keep the one full-frame cell of a single-cell picture; a field has none of its own."""
    if image.kind == ImageKind.CELL:
        Cell.objects.get_or_create(image=image, x0=0, y0=0, x1=image.width, y1=image.height)
    else:
        image.cells.all().delete()


def make_thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """Return a WebP preview, at most `THUMBNAIL_SIDE` pixels on its longer side."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, format="WEBP", quality=85)
    return buffer.getvalue()
