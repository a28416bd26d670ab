"""What the fields of a case hold: cells a field, red cells and platelets, the platelet estimate."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count

from classifier.counting import mean_count
from classifier.enums import LEUKOCYTES, CellType, DetectedKind, ImageKind
from classifier.models import Case, Cell, Laboratory, SmearImage
from classifier.selectors.cells import EDGE, REPEAT, CellView

RED_CELL_MICROMETRES = 7.5
"""Diameter of a red cell, of which 7 to 8 are usual: the ruler of a field without a scale."""


@dataclass(frozen=True, slots=True)
class FieldCount:
    """What was found on one field; counts are of cells, `red_cell` in pixels."""

    image_id: uuid.UUID
    name: str
    size: tuple[int, int]
    leukocytes: int
    at_edge: int
    repeats: int
    erythrocytes: int
    platelets: int
    red_cell: float | None
    problems: tuple[str, ...]

    @property
    def pixels_per_micrometre(self) -> float | None:
        """The scale that the red cells tell; None where the field wasn't read."""
        return self.red_cell / RED_CELL_MICROMETRES if self.red_cell else None

    def as_json(self) -> dict[str, Any]:
        """Return what the viewer needs."""
        return {
            "image": str(self.image_id),
            "name": self.name,
            "size": self.size,
            "scale": self.pixels_per_micrometre,
        }


@dataclass(frozen=True, slots=True)
class PlateletEstimate:
    """Platelets in 10⁹/L, or the reason why none is given."""

    value: Decimal | None
    factor: Decimal | None
    withheld: str


@dataclass(frozen=True, slots=True)
class FieldsSummary:
    """The fields of a case, and the means over those that were read."""

    fields: tuple[FieldCount, ...]
    erythrocytes_per_field: Decimal
    platelets_per_field: Decimal
    has_clumps: bool
    estimate: PlateletEstimate


def summarise_fields(case: Case, cells: Sequence[CellView]) -> FieldsSummary | None:
    """Return what the fields of the case hold; None if it has none. `cells` are those to review."""
    images = case.images.filter(kind=ImageKind.FIELD).select_related("scan")
    background = _background(case)
    fields = [_count(image, cells, background) for image in images]
    if not fields:
        return None
    read = [field for field in fields if field.red_cell]
    platelets = sum(field.platelets for field in read)
    review = case.reviews.order_by("-pk").first()
    has_clumps = review is not None and review.has_platelet_clumps
    return FieldsSummary(
        fields=tuple(fields),
        erythrocytes_per_field=mean_count(sum(f.erythrocytes for f in read), len(read)),
        platelets_per_field=mean_count(platelets, len(read)),
        has_clumps=has_clumps,
        estimate=estimate_platelets(
            platelets,
            fields=len(read),
            factor=Laboratory.current().platelet_factor,
            has_clumps=has_clumps,
            from_slide=any(image.slide_id for image in images),
        ),
    )


def estimate_platelets(
    platelets: int,
    *,
    fields: int,
    factor: Decimal | None,
    has_clumps: bool,
    from_slide: bool,
) -> PlateletEstimate:
    """Return mean platelets a field times the laboratory's factor, to whole 10⁹/L, exact."""
    if has_clumps:
        return PlateletEstimate(None, factor, "platelets lie in clumps")
    if not fields:
        return PlateletEstimate(None, factor, "no field was read")
    if from_slide:
        reason = "fields of a whole slide are of another size than the laboratory's factor is for"
        return PlateletEstimate(None, factor, reason)
    if factor is None:
        return PlateletEstimate(None, None, "the laboratory has set no factor")
    value = (platelets * factor / fields).quantize(Decimal(1), ROUND_HALF_UP)
    return PlateletEstimate(value, factor, "")


_Background = Counter[tuple[uuid.UUID, str]]


def _background(case: Case) -> _Background:
    """Red cells and platelets of each image that no human has said anything of."""
    plain = Cell.objects.filter(image__case=case, corrections=None).exclude(
        detected_as=DetectedKind.LEUKOCYTE
    )
    counted = plain.order_by().values_list("image_id", "detected_as").annotate(n=Count("pk"))
    return Counter({(image_id, kind): n for image_id, kind, n in counted})


def _count(image: SmearImage, cells: Sequence[CellView], background: _Background) -> FieldCount:
    own = [cell for cell in cells if cell.image_id == image.pk]
    found = Counter(cell.finding for cell in own if cell.fate in ("", EDGE))
    scan = getattr(image, "scan", None)
    return FieldCount(
        image_id=image.pk,
        name=image.original_name,
        size=(image.width, image.height),
        leukocytes=sum(not cell.fate and cell.finding in LEUKOCYTES for cell in own),
        at_edge=sum(cell.fate == EDGE for cell in own),
        repeats=sum(cell.fate == REPEAT for cell in own),
        erythrocytes=background[image.pk, "erythrocyte"] + found[CellType.ERYTHROCYTE],
        platelets=background[image.pk, "platelet"] + found[CellType.PLATELET],
        red_cell=scan.red_cell if scan else None,
        problems=image.advice,
    )
