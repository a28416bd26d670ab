"""Pictures of a referred case as its consultant gets them: cut, marked with the reader's name.

They are made anew for each request and carry neither file names nor metadata. Colleagues of the
laboratory get the same pictures unmarked.
"""

import io
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from PIL import Image

from accounts.models import User
from classifier.enums import ImageKind
from classifier.findings import Box
from classifier.models import Cell, SmearImage
from classifier.services import thumbnails
from consultation import watermark
from consultation.models import Referral

CONTENT_TYPE = "image/jpeg"
LEAST_SIDE = 480
"""Pixels: smaller pictures of a cell are enlarged, so that the mark on them can be read."""
THUMBNAIL_SIDE = 208
AROUND = 1.5
"""Side of the picture of a field's cell over the longer side of its box."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Whom a picture is shown to, when, and through which referral."""

    reader: str
    reference: str
    at: datetime

    @property
    def lines(self) -> tuple[str, ...]:
        """What is written across the picture."""
        return self.reader, f"{timezone.localtime(self.at):%Y-%m-%d %H:%M} · {self.reference}"


def mark_for(referral: Referral, reader: User) -> Mark:
    """Return the mark for a reader; a name that can't be written gives way to the e-mail."""
    name = reader.full_name if watermark.can_write(reader.full_name) else reader.email
    return Mark(name, referral.reference, timezone.now())


def small_cell(cell: Cell, mark: Mark | None) -> bytes:
    """Return the small picture of a cell (with findings and image).

    Raises:
        OSError, ImageRejected: the image can't be read.
    """
    is_single = cell.image.kind == ImageKind.CELL
    with cell.image.thumbnail.open("rb") if is_single else thumbnails.open_cell(cell) as file:
        picture = Image.open(file).convert("RGB")
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return _finish(_enlarged(picture, THUMBNAIL_SIDE), mark)


def large_cell(cell: Cell, mark: Mark | None) -> bytes:
    """Return a cell with what lies round it, at least `LEAST_SIDE` pixels wide.

    Raises:
        OSError: the image can't be read.
    """
    picture = _open(cell.image)
    if cell.image.kind == ImageKind.FIELD:
        picture = picture.crop(_around(cell.box_now, picture.size))
    return _finish(_enlarged(picture, LEAST_SIDE), mark)


def field(image: SmearImage, mark: Mark | None) -> bytes:
    """Return a whole field in its full size.

    Raises:
        OSError: the image can't be read.
    """
    return _finish(_open(image), mark)


def _open(image: SmearImage) -> Image.Image:
    with image.file.open("rb") as file:
        return Image.open(file).convert("RGB")


def _around(box: Box, size: tuple[int, int]) -> Box:
    """Return a square round a box, cut where the picture ends."""
    x0, y0, x1, y1 = box
    half = round(AROUND * max(x1 - x0, y1 - y0) / 2)
    x, y = (x0 + x1) // 2, (y0 + y1) // 2
    return (
        max(x - half, 0),
        max(y - half, 0),
        min(x + half, size[0]),
        min(y + half, size[1]),
    )


def _enlarged(picture: Image.Image, side: int) -> Image.Image:
    factor = side / max(picture.size)
    if factor <= 1:
        return picture
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _finish(picture: Image.Image, mark: Mark | None) -> bytes:
    marked = watermark.mark(picture, mark.lines) if mark else picture
    buffer = io.BytesIO()
    marked.save(buffer, format="JPEG", quality=90, subsampling=0)
    return buffer.getvalue()
