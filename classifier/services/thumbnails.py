"""Pictures of a field's cells, small and large: made by a worker, at the latest when asked for."""

import io
import re
import uuid
from collections.abc import Iterable
from threading import Lock

import numpy as np
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from numpy.typing import NDArray
from PIL import Image

from classifier.enums import CellOrigin
from classifier.findings import Box, surroundings
from classifier.models import Cell, SmearImage
from classifier.services.images import make_thumbnail
from ml.cutting import cut_cells
from ml.preprocessing import decode_image
from ml.types import BoundingBox
from vault.storage import delete_folder

_BOX = re.compile(r"\d{1,7}(-\d{1,7}){3}")

_cutting = Lock()
"""A page asks for all thumbnails of a field at once: the first request cuts, the others wait."""

SMALL = "thumbnails"
LARGE = "pictures"
"""The folders of the small pictures and of those in full resolution."""


def make_thumbnails(*, image_id: uuid.UUID) -> None:
    """Cut the pictures of a field's cells to review that are not there yet; all at once.

    A box that a reviewer drew anew has pictures of its own. Doing it again finds nothing to do.

    Raises:
        OSError, ImageRejected: the field can't be read.
    """
    of_field = Cell.objects.filter(image=image_id).exclude(origin=CellOrigin.FULL_FRAME)
    cells = list(of_field.for_review().with_findings().select_related("image"))
    if cells:
        _cut(cells[0].image, {cell.box_now for cell in cells})


def find_picture(image: SmearImage, box: str, kind: str = SMALL) -> File | None:
    """Return the picture of a box, ``x0-y0-x1-y1`` of the field, if it was made already."""
    if not _BOX.fullmatch(box):
        return None
    name = _name(image, box, kind)
    return default_storage.open(name) if default_storage.exists(name) else None


def open_cell(cell: Cell, kind: str = SMALL) -> File:
    """Return a picture, WebP, of a field's cell (with findings and image).

    Where the worker has not come to it, all cells of the field are cut now. The large one holds
    the cell's surroundings without loss.

    Raises:
        OSError, ImageRejected: the field can't be read.
    """
    box = cell.box_now
    with _cutting:
        if not default_storage.exists(_name(cell.image, box_in_words(box), kind)):
            make_thumbnails(image_id=cell.image_id)
            _cut(cell.image, {box})
    return default_storage.open(_name(cell.image, box_in_words(box), kind))


def box_in_words(box: Box) -> str:
    """A box as addresses and file names have it."""
    return "-".join(map(str, box))


def _cut(image: SmearImage, boxes: Iterable[Box]) -> None:
    wanted = [box for box in sorted(boxes) if not _is_made(image, box)]
    if not wanted:
        return
    with image.file.open("rb") as master:
        pixels = decode_image(master.read()).pixels
    crops = cut_cells(pixels, [BoundingBox(*box) for box in wanted])
    for box, crop in zip(wanted, crops, strict=True):
        words = box_in_words(box)
        x0, y0, x1, y1 = surroundings(box, (image.width, image.height))
        _keep(_name(image, words, SMALL), make_thumbnail(crop))
        _keep(_name(image, words, LARGE), _without_loss(pixels[y0:y1, x0:x1]))
    _drop_if_disposed(image)


def _drop_if_disposed(image: SmearImage) -> None:
    """Leave nothing of a field that was disposed of while it was being cut."""
    if SmearImage.objects.filter(pk=image.pk, disposed_at__isnull=False).exists():
        for kind in (SMALL, LARGE):
            delete_folder(folder_of(image, kind))


def _is_made(image: SmearImage, box: Box) -> bool:
    words = box_in_words(box)
    return all(default_storage.exists(_name(image, words, kind)) for kind in (SMALL, LARGE))


def _without_loss(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="WEBP", lossless=True, quality=50, method=2)
    return buffer.getvalue()


def _keep(name: str, data: bytes) -> None:
    """Store a picture; one that somebody else stored meanwhile stays, as it is the same."""
    if default_storage.exists(name):
        return
    stored = default_storage.save(name, ContentFile(data))
    if stored != name:
        default_storage.delete(stored)


def _name(image: SmearImage, box: str, kind: str) -> str:
    """A name for each box: one drawn anew has another picture."""
    return f"{folder_of(image, kind)}/{box}.webp"


def folder_of(image: SmearImage, kind: str) -> str:
    """Where the pictures of a field's cells lie, and nothing else."""
    return f"{kind}/{image.case_id}/{image.pk}"
