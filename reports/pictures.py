"""The cell images of a report: which ones unless the signer chooses, and their pixels."""

import hashlib
import io
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from PIL import Image

from classifier.enums import LEUKOCYTES, CellType, ImageKind
from classifier.findings import Box, Mark, clipped, longer_side, square_round
from classifier.models import Case, Cell, SmearImage
from reports.content import CellPicture, Coded
from reports.exceptions import DocumentFailed, ReportTampered

PICTURES_BY_DEFAULT = 12
MOST_PICTURES = 30
# At 25 mm a picture has 300 dots an inch.
PRINTED_SIDE = 300
AROUND = 1.3
"""Side of the picture of a field's cell over the longer side of its box."""
Place = tuple[uuid.UUID, Box]
"""An image and a box on it."""

PRINTED_TYPES = (*LEUKOCYTES, CellType.ERYTHROBLAST, CellType.PLATELET)
ORDER = (
    *PRINTED_TYPES,
    CellType.ERYTHROCYTE,
    CellType.SMUDGE_CELL,
    CellType.ARTEFACT,
    CellType.UNIDENTIFIED,
)


@dataclass(frozen=True, slots=True)
class FoundCell:
    """A cell (with its image) and what was found it to be."""

    cell: Cell
    finding: CellType
    is_named_by_human: bool
    confidence: float

    @property
    def place(self) -> tuple[int, uuid.UUID]:
        """Where it stands among the pictures: in the order of the differential."""
        return ORDER.index(self.finding), self.cell.pk


def find_cells(case: Case) -> list[FoundCell]:
    """Return the cells of the case in the order of the differential.

    Those whose picture was disposed of count as before, and are not printed.
    """
    kept = Cell.objects.filter(image__case=case, image__disposed_at=None)
    cells = kept.select_related("image").for_review().counted()
    return sorted((_found(cell) for cell in cells.order_by()), key=lambda found: found.place)


def choose_pictures(found: Sequence[FoundCell]) -> list[FoundCell]:
    """Return up to `PICTURES_BY_DEFAULT` cells, every class as even as can be.

    Of a class, first what a human named, then what the machine was surest of.
    """
    by_type: dict[CellType, list[FoundCell]] = defaultdict(list)
    for item in sorted(found, key=_rank):
        by_type[item.finding].append(item)
    rounds = zip_longest(*(by_type[name] for name in PRINTED_TYPES))
    chosen = [item for item in chain.from_iterable(rounds) if item is not None]
    return sorted(chosen[:PICTURES_BY_DEFAULT], key=lambda item: item.place)


def describe(found: Sequence[FoundCell]) -> tuple[CellPicture, ...]:
    """Return the cells as pictures of a report, tied to their pixels by hash.

    Raises:
        DocumentFailed: an image can't be read.
    """
    try:
        crops = load_pixels((item.cell.image, printed_box(item.cell)) for item in found)
    except OSError as error:
        raise DocumentFailed("A cell image can't be read; the report can't be made.") from error
    return tuple(
        _picture(item, crops[item.cell.image_id, printed_box(item.cell)]) for item in found
    )


def printed_box(cell: Cell) -> Box:
    """Return what is printed of a cell with findings: of a field, a square round its box."""
    image, box = cell.image, cell.box_now
    if image.kind == ImageKind.CELL:
        return box
    square = square_round(box, round(AROUND * longer_side(box)))
    return clipped(square, (image.width, image.height))


def load_pixels(wanted: Iterable[tuple[SmearImage, Box]]) -> dict[Place, Image.Image]:
    """Return parts of images by image and box; each file is read once."""
    parts: dict[Place, Image.Image] = {}
    by_image: dict[SmearImage, list[Box]] = defaultdict(list)
    for image, box in wanted:
        by_image[image].append(box)
    for image, boxes in by_image.items():
        with image.file.open("rb") as file, Image.open(file) as picture:
            pixels = picture.convert("RGB")
        parts |= {(image.pk, box): pixels.crop(box) for box in boxes}
    return parts


def pixels_sha256(pixels: Image.Image) -> str:
    """Return the hash of size and RGB values, whichever file format holds them."""
    size = f"{pixels.width}x{pixels.height}:".encode()
    return hashlib.sha256(size + pixels.tobytes()).hexdigest()


def to_jpeg(pixels: Image.Image) -> bytes:
    """Return the picture as it is printed."""
    small = pixels.copy()
    small.thumbnail((PRINTED_SIDE, PRINTED_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


def load_printed(pictures: Sequence[CellPicture]) -> Mapping[str, bytes]:
    """Return the JPEG of each picture by cell id, from pixels that still have the signed hash.

    Raises:
        ReportTampered: an image is gone or isn't the one that the content names.
    """
    images = SmearImage.objects.in_bulk([uuid.UUID(item.image_id) for item in pictures])
    places = {item.cell_id: _place(item) for item in pictures}
    known = [(images[image_id], box) for image_id, box in places.values() if image_id in images]
    try:
        crops = load_pixels(known)
    except OSError as error:
        raise ReportTampered("A cell image of this report can't be read any more.") from error
    for item in pictures:
        crop = crops.get(_place(item))
        if crop is None or pixels_sha256(crop) != item.pixels_sha256:
            raise ReportTampered("A cell image is not the one that was signed.")
    return {cell_id: to_jpeg(crops[place]) for cell_id, place in places.items()}


def load_kept(pictures: Sequence[CellPicture]) -> Mapping[str, bytes]:
    """Return what `load_printed` does, of the pictures that were not disposed of since.

    The signed PDF shows all of them.

    Raises:
        ReportTampered: an image is gone or isn't the one that the content names.
    """
    ids = [uuid.UUID(item.image_id) for item in pictures]
    gone = SmearImage.objects.filter(pk__in=ids, disposed_at__isnull=False)
    disposed = {str(pk) for pk in gone.values_list("pk", flat=True)}
    return load_printed([item for item in pictures if item.image_id not in disposed])


def _found(cell: Cell) -> FoundCell:
    """Read the annotations of `CellQuerySet.with_findings`."""
    machine, referred, human = cell.machine_type, cell.machine_referred, cell.human_type  # type: ignore[attr-defined]
    mark = Mark(machine or "", referred, human)
    confidence = cell.machine_confidence or 0.0  # type: ignore[attr-defined]
    return FoundCell(cell, CellType(mark.finding), bool(human), confidence)


def _rank(item: FoundCell) -> tuple[bool, float, uuid.UUID]:
    return not item.is_named_by_human, -item.confidence, item.cell.pk


def _place(item: CellPicture) -> Place:
    return uuid.UUID(item.image_id), (item.x0, item.y0, item.x1, item.y1)


def _picture(item: FoundCell, crop: Image.Image) -> CellPicture:
    cell = item.cell
    x0, y0, x1, y1 = printed_box(cell)
    return CellPicture(
        cell_id=str(cell.pk),
        image_id=str(cell.image_id),
        image_sha256=cell.image.original_sha256,
        pixels_sha256=pixels_sha256(crop),
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        cell_type=Coded(item.finding.value, str(item.finding.label)),
        is_named_by_human=item.is_named_by_human,
    )
