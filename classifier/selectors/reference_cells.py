"""What the reference library holds, and which of its cells look most like a given one."""

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import Case as Choice
from django.db.models import Count, IntegerField, QuerySet, When
from django.shortcuts import get_object_or_404

from classifier.enums import CellType
from classifier.models import Case, Cell, ModelVersion, ReferenceCell
from classifier.selectors.class_keys import CLASS_KEYS
from ml.embedding import unpack

if TYPE_CHECKING:
    from accounts.models import User

OWN_SOURCE = "A signed case of this laboratory"
_CLASS_ORDER = Choice(
    *(When(cell_type=item.cell_type, then=place) for place, item in enumerate(CLASS_KEYS)),
    output_field=IntegerField(),
)
STRIP = 24
"""As many reference cells of a class as are laid beside others."""


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """A reference cell as pages show it; `similarity` is a cosine, None where it wasn't asked."""

    id: uuid.UUID
    cell_type: str
    label: str
    source: str
    licence: str
    teaching: str
    size: tuple[int, int]
    pixels_per_micrometre: float | None
    similarity: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what the page's script needs to show it."""
        return {
            "id": str(self.id),
            "class": self.cell_type,
            "label": self.label,
            "source": self.source,
            "licence": self.licence,
            "teaching": self.teaching,
            "size": self.size,
            "scale": self.pixels_per_micrometre,
            "similarity": self.similarity,
        }


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class, and how many cells in use show it."""

    cell_type: str
    label: str
    count: int


def count_classes(user: "User") -> list[ClassCount]:
    """Return every class that a cell can show, in the order of the keys, with its cells in use."""
    rows = ReferenceCell.objects.visible_to(user).in_use().order_by().values_list("cell_type")
    counts = Counter(dict(rows.annotate(n=Count("pk"))))
    return [
        ClassCount(item.cell_type, item.label, counts[item.cell_type])
        for item in CLASS_KEYS
        if item.cell_type != CellType.UNIDENTIFIED
    ]


def list_reference_cells(
    user: "User", cell_type: str = "", *, retired: bool = False
) -> QuerySet[ReferenceCell]:
    """Return reference cells for the library's page, classes in the laboratory's order.

    Within a class those of its own cases come first, then source by source; the latest first.
    """
    cells = ReferenceCell.objects.visible_to(user).filter(retired_at__isnull=not retired)
    if cell_type:
        cells = cells.filter(cell_type=cell_type)
    people = cells.select_related("added_by", "retired_by", "cell__image__case")
    return people.order_by(_CLASS_ORDER, "source", "-added_at", "pk")


def get_reference_cell(user: "User", reference_id: uuid.UUID) -> ReferenceCell:
    """Return a reference cell that the user may look at; else Http404."""
    return get_object_or_404(ReferenceCell.objects.visible_to(user), pk=reference_id)


def of_class(user: "User", cell_type: str, count: int = STRIP) -> list[ReferenceView]:
    """Return the cells in use that show a class, the latest first."""
    cells = ReferenceCell.objects.visible_to(user).in_use().filter(cell_type=cell_type)
    return [_view(cell) for cell in cells.order_by("-added_at", "pk")[:count]]


def nearest(user: "User", cell: Cell, count: int = 6) -> list[ReferenceView]:
    """Return the reference cells whose embeddings lie nearest to the cell's, likest first.

    Both are of the model that read the cell last; where it gives no embedding, or the library
    was not embedded by it yet, there are none. The cell itself is left out. The similarity is the
    cosine of two vectors of length one, -1 to 1, over all cells in use (brute force).
    """
    prediction = cell.predictions.select_related("run").order_by("-pk").first()
    if prediction is None or prediction.embedding is None:
        return []
    library = _library(user, prediction.run.model_version, cell)
    if not library:
        return []
    others = np.stack([unpack(each) for each in library.values()])
    cosines = others @ unpack(prediction.embedding)
    best = np.argsort(-cosines, kind="stable")[:count]
    ids = list(library)
    return _in_order({ids[place]: float(cosines[place]) for place in best})


def cells_in_library(case: Case) -> set[uuid.UUID]:
    """Return the cells of a case that the library shows."""
    shown = ReferenceCell.objects.in_use().filter(cell__image__case=case)
    return {cell_id for cell_id in shown.values_list("cell_id", flat=True) if cell_id}


def _library(user: "User", version: ModelVersion, besides: Cell) -> dict[uuid.UUID, bytes]:
    """The embeddings of the cells in use that this model gave, by id."""
    in_use = ReferenceCell.objects.visible_to(user).in_use()
    embedded = in_use.filter(embedded_by=version, embedding__isnull=False)
    rows = embedded.exclude(cell=besides).order_by("pk").values_list("pk", "embedding")
    return {reference_id: bytes(embedding) for reference_id, embedding in rows if embedding}


def _in_order(similarities: dict[uuid.UUID, float]) -> list[ReferenceView]:
    found = ReferenceCell.objects.in_bulk(list(similarities))
    return [_view(found[key], cosine) for key, cosine in similarities.items()]


def _view(cell: ReferenceCell, similarity: float | None = None) -> ReferenceView:
    return ReferenceView(
        id=cell.pk,
        cell_type=cell.cell_type,
        label=str(CellType(cell.cell_type).label),
        source=cell.source or OWN_SOURCE,
        licence=cell.licence,
        teaching=cell.teaching,
        size=(cell.width, cell.height),
        pixels_per_micrometre=cell.pixels_per_micrometre,
        similarity=similarity,
    )
