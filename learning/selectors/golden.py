"""Labelled sets for pages, and which cells no training may ever see."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Count, F, Q, QuerySet
from django.http import Http404

from accounts.models import User
from classifier.care import hidden_patients
from classifier.models import Case, Cell
from learning import policies
from learning.enums import SetState
from learning.models import LabelledCell, LabelledSet, Nomination, SetUpload

PICTURES_SHOWN = 60
UPLOADS_SHOWN = 8

Row = TypeVar("Row", LabelledCell, Nomination)


@dataclass(frozen=True, slots=True)
class SetPage:
    """A set with what it holds by class, some of its cells, and how its nominations stand."""

    labelled_set: LabelledSet
    classes: Sequence[tuple[str, int]]
    cells: Sequence[LabelledCell]
    total: int
    waiting: int
    agreed: int
    disagreed: int


def golden_cells() -> "QuerySet[Cell]":
    """The laboratory's cells in any labelled set, drafts and retired ones included."""
    return Cell.objects.filter(Q(golden__isnull=False) | Q(nominations__isnull=False)).distinct()


def golden_cases() -> "QuerySet[Case]":
    """The cases of patients of whom a labelled set holds a cell: none of them is learned from.

    A patient's cells look alike, so another cell of the same patient would tell on the set.
    """
    patients = golden_cells().values("image__case__patient_id")
    return Case.objects.filter(patient_id__in=patients)


def golden_hashes() -> set[str]:
    """SHA-256 of the pictures of all labelled sets, as PNG of their pixels."""
    return set(LabelledCell.objects.values_list("sha256", flat=True))


def list_sets(user: User) -> "QuerySet[LabelledSet]":
    """Return all sets with how many cells each holds."""
    _check(user)
    counted = LabelledSet.objects.annotate(
        cell_count=Count("cells", distinct=True),
        waiting_count=Count("nominations", filter=Q(nominations__second_type=""), distinct=True),
    )
    return counted.select_related("created_by", "frozen_by")


def list_set_uploads(user: User) -> list[SetUpload]:
    """Return the latest uploads of sets for who manages models; nothing for others."""
    if not policies.can_manage_models(user):
        return []
    found = SetUpload.objects.select_related("uploaded_by", "labelled_set")
    return list(found[:UPLOADS_SHOWN])


def list_frozen() -> "QuerySet[LabelledSet]":
    """Return the sets that models are judged on."""
    return LabelledSet.objects.filter(state=SetState.FROZEN)


def get_set(user: User, pk: uuid.UUID) -> SetPage:
    """Return a set, or raise Http404."""
    _check(user)
    found = LabelledSet.objects.filter(pk=pk).select_related("created_by", "frozen_by").first()
    if found is None:
        raise Http404
    counts = found.cells.order_by().values_list("cell_type").annotate(Count("pk"))
    read = found.nominations.exclude(second_type="")
    agreed = read.filter(first_type=F("second_type")).count()
    return SetPage(
        labelled_set=found,
        classes=sorted(counts, key=lambda row: -row[1]),
        cells=list(_open_to(user, found.cells.all()).order_by("pk")[:PICTURES_SHOWN]),
        total=found.cells.count(),
        waiting=found.nominations.filter(second_type="").count(),
        agreed=agreed,
        disagreed=read.count() - agreed,
    )


def next_nomination(user: User, set_id: uuid.UUID) -> tuple[Nomination | None, int]:
    """Return the cell that the reader names next, and how many wait for somebody like him."""
    if not policies.can_read_nominations(user):
        raise Http404
    waiting = _open_to(user, Nomination.objects.all()).filter(
        labelled_set_id=set_id, labelled_set__state=SetState.DRAFT, second_type=""
    )
    waiting = waiting.exclude(first_reader=user)
    return waiting.order_by("pk").first(), waiting.count()


def get_nomination(user: User, pk: int) -> Nomination:
    """Return a nominated cell that the reader may name, or raise Http404."""
    shown = _open_to(user, Nomination.objects.all())
    found = shown.filter(pk=pk).select_related("cell__image").first()
    if found is None or not policies.can_name_nomination(user, found):
        raise Http404
    return found


def get_cell(user: User, pk: uuid.UUID) -> LabelledCell:
    """Return a labelled cell, or raise Http404."""
    _check(user)
    found = _open_to(user, LabelledCell.objects.all()).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _open_to(user: User, rows: "QuerySet[Row]") -> "QuerySet[Row]":
    """Leave out the cells of records that are restricted to others."""
    return rows.exclude(cell__image__case__patient__in=hidden_patients(user))


def _check(user: User) -> None:
    if not policies.can_read_registry(user):
        raise Http404
