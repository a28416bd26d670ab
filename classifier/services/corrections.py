"""A reviewer's word on cells: name them, accept the machine's reading, undo and redo steps."""

import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction

from classifier.enums import CellType
from classifier.exceptions import GuardFailed
from classifier.findings import likeliest
from classifier.models import Review
from classifier.services.history import read_history, rows_of
from classifier.services.marking import (
    Action,
    Seen,
    Step,
    do_again,
    find_action,
    load_cells,
    mark_cells,
    marks_of,
    take_back,
)
from classifier.services.reviews import lock_own_review

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def correct_cells(
    *,
    case_id: uuid.UUID,
    actor: "User",
    cell_ids: Collection[uuid.UUID],
    cell_type: str,
    action_id: uuid.UUID,
    reason: str = "",
    seen: Seen | None = None,
) -> Action:
    """Name cells; those that already carry this human mark are left alone.

    Raises:
        GuardFailed: a cell belongs to another case, or the class doesn't exist.
        EditConflict: the action id was used for something else, or a cell changed since `seen`.
        TransitionRefused, NotPermitted: the case isn't open with this person.
    """
    if cell_type not in CellType.values:
        raise GuardFailed("There is no such cell class.")
    step = Step(action_id, "cell.corrected", reason, seen)
    review = lock_own_review(case_id=case_id, actor=actor)
    cells = load_cells(review, cell_ids)
    return name_each(review, dict.fromkeys((cell.pk for cell in cells), cell_type), step)


@transaction.atomic
def accept_cells(
    *,
    case_id: uuid.UUID,
    actor: "User",
    cell_ids: Collection[uuid.UUID],
    action_id: uuid.UUID,
    seen: Seen | None = None,
) -> Action:
    """Make the machine's likeliest class the human's too, referred cells included.

    Raises:
        GuardFailed: the machine never read one of the cells.
        EditConflict, TransitionRefused, NotPermitted: see `correct_cells`.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    cells = load_cells(review, cell_ids)
    names = {cell.pk: likeliest(cell.machine_probabilities) for cell in cells}  # type: ignore[attr-defined]
    unread = Counter(names.values())[""]
    if unread:
        noun = "cell has" if unread == 1 else "cells have"
        raise GuardFailed(f"{unread} {noun} no reading to accept: choose a class.")
    return name_each(review, names, Step(action_id, "cell.corrected", seen=seen))


@transaction.atomic
def undo_last(
    *, case_id: uuid.UUID, actor: "User", action_id: uuid.UUID, seen: Seen | None = None
) -> Action:
    """Take back the last step of the open review that still stands.

    Raises:
        GuardFailed: nothing is left to undo.
        UnseenChange: the last step is one that the actor has not seen, as of another window.
        TransitionRefused, NotPermitted: the case isn't open with this person.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    repeated = find_action(review, action_id)
    if repeated:
        return repeated
    standing = read_history(review).standing
    if not standing:
        raise GuardFailed("There is nothing to undo in this review.")
    step = Step(action_id, "review.undone", seen=seen)
    return take_back(review, rows_of(review, standing[-1]), step)


@transaction.atomic
def redo_last(
    *, case_id: uuid.UUID, actor: "User", action_id: uuid.UUID, seen: Seen | None = None
) -> Action:
    """Do the step again that was undone last, as long as no other step was taken since.

    Raises:
        GuardFailed: nothing is left to do again.
        UnseenChange: one of the cells changed since the actor saw it.
        TransitionRefused, NotPermitted: the case isn't open with this person.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    repeated = find_action(review, action_id)
    if repeated:
        return repeated
    undone = read_history(review).undone
    if not undone:
        raise GuardFailed("There is nothing to redo in this review.")
    rows = rows_of(review, undone[-1].step)
    return do_again(review, rows, Step(action_id, "review.redone", seen=seen), undo=undone[-1].undo)


def name_each(review: Review, names: dict[uuid.UUID, str], step: Step) -> Action:
    """Name cells; whoever names a cell that was removed holds it for one again."""
    marks = marks_of(list(names))
    wanted = {
        cell_id: replace(marks[cell_id], cell_type=name, is_removed=False)
        for cell_id, name in names.items()
    }
    return mark_cells(review, wanted, step)
