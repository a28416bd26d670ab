"""A reviewer's word on boxes: a missed cell, another outline, no cell at all, seen already."""

import uuid
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier import dispatch
from classifier.enums import CellOrigin, CellType, ImageKind, RepeatMark
from classifier.exceptions import GuardFailed
from classifier.findings import Box, HumanMark
from classifier.models import Cell, Review, SmearImage
from classifier.services.marking import (
    Action,
    Seen,
    Step,
    find_action,
    load_cells,
    mark_cells,
    marks_of,
    write_marks,
)
from classifier.services.reviews import lock_own_review
from ml.detection.objects import edge_of

if TYPE_CHECKING:
    from accounts.models import User

LEAST_SIDE = 5
"""Pixels; a shorter box is a slip of the hand."""


@transaction.atomic
def add_cell(
    *,
    case_id: uuid.UUID,
    actor: "User",
    image_id: uuid.UUID,
    box: Box,
    cell_type: str,
    action_id: uuid.UUID,
) -> Action:
    """Add a cell that the detector missed, under the reviewer's name for it.

    Raises:
        GuardFailed: no field of this case, no such class, or the box isn't inside the picture.
        EditConflict, TransitionRefused, NotPermitted: see `corrections.correct_cells`.
    """
    if cell_type not in CellType.values:
        raise GuardFailed("There is no such cell class.")
    review = lock_own_review(case_id=case_id, actor=actor)
    repeated = find_action(review, action_id)
    if repeated:
        return repeated
    image = _field(review, image_id)
    _check_inside(box, image)
    cell = _create_drawn(box, image)
    dispatch.make_thumbnails(image.pk)
    step = Step(action_id, "cell.added")
    write_marks(review, {cell.pk: HumanMark(cell_type=cell_type)}, step)
    record(
        actor=actor,
        action=step.audited_as,
        target=review.case,
        after={"action": action_id, "cells": {str(cell.pk): {"class": cell_type, "box": box}}},
        patient=review.case.patient_id,
    )
    return Action(action_id, (cell.pk,))


@transaction.atomic
def reshape_cell(
    *,
    case_id: uuid.UUID,
    actor: "User",
    cell_id: uuid.UUID,
    box: Box,
    action_id: uuid.UUID,
    seen: Seen | None = None,
) -> Action:
    """Draw the box of a field's cell anew; the first one stays on record.

    Raises:
        GuardFailed: the cell is no field's of this case, or the box isn't inside the picture.
        EditConflict, TransitionRefused, NotPermitted: see `corrections.correct_cells`.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    (cell,) = _load_of_fields(review, [cell_id])
    _check_inside(box, cell.image)
    mark = marks_of([cell_id])[cell_id]
    wanted = replace(mark, box=box, at_edge=_touches_edge(box, cell.image))
    dispatch.make_thumbnails(cell.image_id)
    return mark_cells(review, {cell_id: wanted}, Step(action_id, "cell.reshaped", seen=seen))


@transaction.atomic
def remove_cells(
    *,
    case_id: uuid.UUID,
    actor: "User",
    cell_ids: Collection[uuid.UUID],
    action_id: uuid.UUID,
    seen: Seen | None = None,
) -> Action:
    """Say that there are no cells in these boxes; they stay on record and count nowhere.

    Raises:
        GuardFailed: a cell is no field's of this case.
        EditConflict, TransitionRefused, NotPermitted: see `corrections.correct_cells`.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    cells = _load_of_fields(review, cell_ids)
    marks = marks_of([cell.pk for cell in cells])
    wanted = {cell_id: replace(mark, is_removed=True) for cell_id, mark in marks.items()}
    return mark_cells(review, wanted, Step(action_id, "cell.removed", seen=seen))


@transaction.atomic
def mark_repeats(
    *,
    case_id: uuid.UUID,
    actor: "User",
    cell_ids: Collection[uuid.UUID],
    repeat: str,
    action_id: uuid.UUID,
    seen: Seen | None = None,
) -> Action:
    """Say that cells were seen in another field already, or that they are cells of their own.

    Raises:
        GuardFailed: a cell is no field's of this case, or the word is none of `RepeatMark`.
        EditConflict, TransitionRefused, NotPermitted: see `corrections.correct_cells`.
    """
    if repeat not in RepeatMark.values:
        raise GuardFailed("Say whether the cell was seen already.")
    review = lock_own_review(case_id=case_id, actor=actor)
    cells = _load_of_fields(review, cell_ids)
    marks = marks_of([cell.pk for cell in cells])
    wanted = {cell_id: replace(mark, repeat=repeat) for cell_id, mark in marks.items()}
    return mark_cells(review, wanted, Step(action_id, "cell.repeat_marked", seen=seen))


def _field(review: Review, image_id: uuid.UUID) -> SmearImage:
    image = review.case.images.filter(pk=image_id, kind=ImageKind.FIELD).first()
    if image is None:
        raise GuardFailed("Cells can be added to the fields of this case only.")
    return image


def _load_of_fields(review: Review, cell_ids: Collection[uuid.UUID]) -> list[Cell]:
    cells = load_cells(review, cell_ids)
    if any(cell.origin == CellOrigin.FULL_FRAME for cell in cells):
        raise GuardFailed("The box of a single-cell picture is the picture itself.")
    return cells


def _check_inside(box: Box, image: SmearImage) -> None:
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= image.width and 0 <= y0 < y1 <= image.height):
        raise GuardFailed("The box reaches beyond the picture.")
    if min(x1 - x0, y1 - y0) < LEAST_SIDE:
        raise GuardFailed(f"The box is smaller than {LEAST_SIDE} pixels: draw it round the cell.")


def _create_drawn(box: Box, image: SmearImage) -> Cell:
    x0, y0, x1, y1 = box
    return Cell.objects.create(
        image=image,
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        origin=CellOrigin.HUMAN,
        at_edge=_touches_edge(box, image),
    )


def _touches_edge(box: Box, image: SmearImage) -> bool:
    x0, y0, x1, y1 = box
    scan = getattr(image, "scan", None)
    near = edge_of(scan.red_cell if scan else 0.0)
    return min(x0, y0, image.width - x1, image.height - y1) < near
