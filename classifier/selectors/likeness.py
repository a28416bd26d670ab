"""Which cells of a case look alike, by the embeddings that one model version stored with them."""

import uuid
from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet

from classifier.models import Case, Cell, Prediction
from ml.embedding import unpack

NOT_STORED = "The model that read this cell stores no likeness."


@dataclass(frozen=True, slots=True)
class Likeness:
    """The cells of a case, the most alike first; none and the reason where that can't be told."""

    order: tuple[uuid.UUID, ...]
    reason: str = ""


def order_by_likeness(case: Case, cell_id: uuid.UUID) -> Likeness:
    """Sort the cells of the case by likeness to one of them, which comes first itself.

    Likeness is the cosine of two embeddings, which is meant within one model version; cells that
    another version read are left out. Two queries, however many cells.
    """
    to = _latest(case).filter(cell=cell_id).select_related("run").first()
    if to is None or to.embedding is None:
        return Likeness((), NOT_STORED)
    others = _latest(case).filter(
        run__model_version=to.run.model_version_id, embedding__isnull=False
    )
    rows = list(others.values_list("cell_id", "embedding"))
    vectors = np.stack([unpack(stored) for _, stored in rows if stored is not None])
    nearness = vectors @ unpack(to.embedding)
    order = sorted(
        range(len(rows)), key=lambda place: (rows[place][0] != cell_id, -nearness[place])
    )
    return Likeness(tuple(rows[place][0] for place in order))


def has_likeness(case: Case) -> bool:
    """Say whether any cell of the case can be compared with others."""
    return Prediction.objects.filter(cell__image__case=case, embedding__isnull=False).exists()


def _latest(case: Case) -> "QuerySet[Prediction]":
    """The latest prediction of each cell of the case."""
    cells = Cell.objects.filter(image__case=case)
    latest = Prediction.objects.filter(cell__in=cells).order_by("cell_id", "-pk")
    return Prediction.objects.filter(pk__in=latest.distinct("cell_id").values("pk"))
