"""Which white cells of a case are seen in several of its fields: each is counted once."""

import uuid
from collections import defaultdict

from classifier.enums import DetectedKind
from classifier.models import Case, Cell, FieldScan
from ml.fields.features import FieldFeatures
from ml.fields.overlap import find_overlaps
from ml.fields.repeats import CellKey, repeats
from ml.types import BoundingBox


def mark_repeats(case: Case) -> None:
    """Compare all fields of the locked case anew and set `repeat_of` of its white cells.

    The field that was uploaded first counts a cell, if it shows the whole of it.
    """
    scans = FieldScan.objects.filter(image__case=case).order_by("image__uploaded_at", "image_id")
    features = {scan.image_id: FieldFeatures.from_bytes(bytes(scan.features)) for scan in scans}
    cells = _white_cells(list(features))
    overlaps = find_overlaps(list(features.values()))
    counted = repeats(
        [[BoundingBox(*cell.box) for cell in of_field] for of_field in cells],
        overlaps,
        cut=[
            CellKey(field, place)
            for field, of_field in enumerate(cells)
            for place, cell in enumerate(of_field)
            if cell.at_edge
        ],
    )
    again = {
        cells[key.field][key.cell].pk: cells[first.field][first.cell].pk
        for key, first in counted.items()
    }
    _store([cell for of_field in cells for cell in of_field], again)


def _white_cells(image_ids: list[uuid.UUID]) -> list[list[Cell]]:
    """White cells of each field, in the fields' order."""
    by_image: dict[uuid.UUID, list[Cell]] = defaultdict(list)
    found = Cell.objects.filter(image__in=image_ids, detected_as=DetectedKind.LEUKOCYTE)
    for cell in found.order_by("pk"):
        by_image[cell.image_id].append(cell)
    return [by_image[image_id] for image_id in image_ids]


def _store(cells: list[Cell], again: dict[uuid.UUID, uuid.UUID]) -> None:
    changed = [cell for cell in cells if cell.repeat_of_id != again.get(cell.pk)]
    for cell in changed:
        cell.repeat_of_id = again.get(cell.pk)
    Cell.objects.bulk_update(changed, ["repeat_of"])
