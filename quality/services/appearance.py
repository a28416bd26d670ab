"""Measure how stain and camera show the cells of each case that was read."""

import logging
import uuid
from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from classifier.enums import CellOrigin, RunStatus
from classifier.models import Case, Cell, SmearImage
from ml.appearance import SIGNALS, appearance_of, as_row
from ml.cutting import cut_cells
from ml.errors import ImageRejected
from ml.preprocessing import decode_image
from ml.types import BoundingBox
from quality.models import CaseAppearance, CellAppearance

logger = logging.getLogger(__name__)

CELLS_A_CASE = 24
CASES_A_TURN = 20
READ_WITHIN = timedelta(days=60)
"""Older cases aren't taken up: a laboratory that is updated doesn't begin with its archive."""


def measure_next() -> int:
    """Measure the cases that were read and are not measured yet; return how many that were."""
    since = timezone.now() - READ_WITHIN
    waiting = Case.objects.filter(
        appearance=None,
        images__runs__status=RunStatus.SUCCEEDED,
        images__runs__finished_at__gt=since,
    )
    cases = list(waiting.exclude(status="in_classification").distinct()[:CASES_A_TURN])
    for case in cases:
        measure(case)
    return len(cases)


def measure(case: Case) -> None:
    """Measure a sample of the case's white cells; a picture that can't be read is left out.

    Doing it again changes nothing.
    """
    rows = list(_rows(case))
    with transaction.atomic():
        measured, is_new = CaseAppearance.objects.get_or_create(case=case)
        if is_new:
            CellAppearance.objects.bulk_create(
                CellAppearance(
                    cell_id=cell, measured=measured, **dict(zip(SIGNALS, row, strict=True))
                )
                for cell, row in rows
            )


def _rows(case: Case) -> Iterator[tuple[uuid.UUID, tuple[float, ...]]]:
    for image, cells in _sample(case).items():
        try:
            with image.file.open("rb") as master:
                pixels = decode_image(master.read()).pixels
        except (OSError, ImageRejected):
            logger.warning("image not measured", extra={"image_id": str(image.pk)})
            continue
        for cell in cells:
            view = pixels
            if cell.origin != CellOrigin.FULL_FRAME:
                [view] = cut_cells(pixels, [BoundingBox(cell.x0, cell.y0, cell.x1, cell.y1)])
            yield cell.pk, as_row(appearance_of(view))


def _sample(case: Case) -> dict[SmearImage, list[Cell]]:
    """Return evenly spread cells that the model read, by image."""
    read = Cell.objects.filter(image__case=case, predictions__isnull=False, at_edge=False)
    cells = list(read.distinct().select_related("image").order_by("image_id", "pk"))
    step = max(1, -(-len(cells) // CELLS_A_CASE))
    by_image: dict[SmearImage, list[Cell]] = {}
    for cell in cells[::step]:
        by_image.setdefault(cell.image, []).append(cell)
    return by_image
