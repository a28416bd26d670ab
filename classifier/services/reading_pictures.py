"""The picture of a cell that a blind reader sees: the cell alone, and nothing that names it."""

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from classifier.enums import CellOrigin
from classifier.models import StudyCell
from classifier.services.images import make_thumbnail
from ml.cutting import cut_cells
from ml.preprocessing import decode_image
from ml.types import BoundingBox

LONGEST_SIDE = 720
"""Pixels; more than the largest cell of a field at 100x, so that nothing is lost."""


def open_picture(cell: StudyCell) -> File:
    """Return the picture as WebP: the whole one of a single cell, a square cut out of a field.

    It is made once and kept.

    Raises:
        OSError, ImageRejected: the image can't be read.
    """
    name = name_of(cell)
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(_make(cell)))
    return default_storage.open(name)


def name_of(cell: StudyCell) -> str:
    """Where the picture lies, once it was made."""
    return f"reference-counts/{cell.study_id}/{cell.position}.webp"


def _make(cell: StudyCell) -> bytes:
    with cell.cell.image.file.open("rb") as master:
        pixels = decode_image(master.read()).pixels
    if cell.cell.origin != CellOrigin.FULL_FRAME:
        [pixels] = cut_cells(pixels, [BoundingBox(*cell.box)])
    return make_thumbnail(pixels, side=LONGEST_SIDE)
