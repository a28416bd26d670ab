"""Accepting many readings of the machine at once: those that were looked at, and no others."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from classifier.exceptions import EditConflict, GuardFailed
from classifier.findings import likeliest
from classifier.models import Cell, Correction, Review
from classifier.services.corrections import name_each
from classifier.services.marking import Action, Step, find_action, load_cells
from classifier.services.reviews import lock_own_review

if TYPE_CHECKING:
    from accounts.models import User

Looks = Mapping[uuid.UUID, int]
"""The cells that were on the reviewer's screen, each with its revision as it was shown."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The step that was recorded, and the cells left out as they changed since they were seen."""

    action: Action
    left_out: tuple[uuid.UUID, ...] = ()


@transaction.atomic
def accept_seen(
    *, case_id: uuid.UUID, actor: "User", looks: Looks, action_id: uuid.UUID
) -> Acceptance:
    """Confirm the machine's likeliest class for cells chosen one by one, referred ones included.

    A cell that changed since it was looked at is left out. Of several cells, those that a human
    has named already stay as they are.

    Raises:
        GuardFailed: the machine never read one of the cells, or one is of another case.
        EditConflict, TransitionRefused, NotPermitted: see `corrections.correct_cells`.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    repeated = _find_repeated(review, looks, action_id)
    if repeated:
        return repeated
    cells, left_out = _unchanged(review, looks)
    if len(looks) > 1:
        cells = [cell for cell in cells if not cell.human_type]
    unread = sum(not cell.machine_probabilities for cell in cells)
    if unread:
        noun = "cell has" if unread == 1 else "cells have"
        raise GuardFailed(f"{unread} {noun} no reading to accept: choose a class.")
    return _accept(review, cells, left_out, Step(action_id, "cell.accepted"))


@transaction.atomic
def accept_class(
    *, case_id: uuid.UUID, actor: "User", cell_type: str, looks: Looks, action_id: uuid.UUID
) -> Acceptance:
    """Confirm, of one class, the machine's cells that were looked at; the others stay unconfirmed.

    A cell that changed since it was looked at is left out, and one that a human has named stays.
    The audit event tells how many were accepted and how many of the class were not looked at.

    Raises:
        GuardFailed: a cell is referred or unread (those are decided one by one), of another class
            or of another case.
        EditConflict, TransitionRefused, NotPermitted: see `corrections.correct_cells`.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    repeated = _find_repeated(review, looks, action_id)
    if repeated:
        return repeated
    unchanged, left_out = _unchanged(review, looks)
    cells = [cell for cell in unchanged if not cell.human_type]
    if any(cell.machine_referred for cell in cells):
        raise GuardFailed("Cells that the machine is not sure of are decided one by one.")
    if any(cell.machine_type != cell_type for cell in cells):
        raise GuardFailed("Only the machine's cells of this class can be accepted with it.")
    waiting = Cell.objects.filter(image__case=review.case).unconfirmed(cell_type)
    facts = {
        "class": cell_type,
        "accepted": len(cells),
        "not_looked_at": waiting.exclude(pk__in=looks).count(),
    }
    step = Step(action_id, "cell.accepted_by_class", facts=facts)
    return _accept(review, cells, left_out, step)


def _find_repeated(review: Review, looks: Looks, action_id: uuid.UUID) -> Acceptance | None:
    """Return what was recorded under this id already, if anything."""
    repeated = find_action(review, action_id)
    if repeated is None:
        return None
    if not set(repeated.cell_ids) <= set(looks):
        raise EditConflict("This step was already recorded for other cells.")
    return Acceptance(repeated)


def _unchanged(review: Review, looks: Looks) -> tuple[list[Any], tuple[uuid.UUID, ...]]:
    """Split the cells into those that are as they were seen, with findings, and the others."""
    cells = load_cells(review, looks)
    said = Correction.objects.filter(cell__in=looks).values_list("cell_id")
    now = dict(said.annotate(latest=Max("pk")))
    same = [cell for cell in cells if now.get(cell.pk, 0) == looks[cell.pk]]
    kept = {cell.pk for cell in same}
    return same, tuple(cell.pk for cell in cells if cell.pk not in kept)


def _accept(
    review: Review, cells: list[Any], left_out: tuple[uuid.UUID, ...], step: Step
) -> Acceptance:
    names = {cell.pk: likeliest(cell.machine_probabilities) for cell in cells}
    action = name_each(review, names, step) if names else Action(step.action_id, ())
    return Acceptance(action, left_out)
