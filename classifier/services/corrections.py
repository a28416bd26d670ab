"""A reviewer's word on cells: name them, accept the machine's reading, take the last step back.

Rows are only ever added. All rows of one step carry the `action_id` that the client chose, so
that a repeated request changes nothing more.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier.enums import CellType
from classifier.exceptions import EditConflict, GuardFailed
from classifier.findings import likeliest
from classifier.models import Cell, Correction, Review
from classifier.services.reviews import lock_own_review

if TYPE_CHECKING:
    from accounts.models import User

REASON_LIMIT = 250


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a review and the cells it touched; empty if nothing had to change."""

    action_id: uuid.UUID
    cell_ids: tuple[uuid.UUID, ...]


@transaction.atomic
def correct_cells(
    *,
    case_id: uuid.UUID,
    actor: "User",
    cell_ids: Collection[uuid.UUID],
    cell_type: str,
    action_id: uuid.UUID,
    reason: str = "",
) -> Action:
    """Name cells; those that already carry this human mark are left alone.

    Raises:
        GuardFailed: a cell belongs to another case, or the class doesn't exist.
        EditConflict: the action id was used for something else.
        TransitionRefused, NotPermitted: the case isn't open with this person.
    """
    if cell_type not in CellType.values:
        raise GuardFailed("There is no such cell class.")
    if len(reason) > REASON_LIMIT:
        raise GuardFailed(f"The reason is longer than {REASON_LIMIT} characters.")
    review = lock_own_review(case_id=case_id, actor=actor)
    cells = _load(review, cell_ids)
    names = dict.fromkeys((cell.pk for cell in cells), cell_type)
    return _name(review, cells, names, action_id=action_id, reason=reason)


@transaction.atomic
def accept_cells(
    *,
    case_id: uuid.UUID,
    actor: "User",
    cell_ids: Collection[uuid.UUID],
    action_id: uuid.UUID,
) -> Action:
    """Make the machine's likeliest class the human's too, referred cells included.

    Raises:
        GuardFailed: the machine never read one of the cells.
        EditConflict, TransitionRefused, NotPermitted: see `correct_cells`.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    cells = _load(review, cell_ids)
    names = {cell.pk: likeliest(cell.machine_probabilities) for cell in cells}  # type: ignore[attr-defined]
    unread = Counter(names.values())[""]
    if unread:
        noun = "cell has" if unread == 1 else "cells have"
        raise GuardFailed(f"{unread} {noun} no reading to accept: choose a class.")
    return _name(review, cells, names, action_id=action_id, reason="")


@transaction.atomic
def undo_last(*, case_id: uuid.UUID, actor: "User", action_id: uuid.UUID) -> Action:
    """Take back the last step of the open review that still stands.

    Each cell gets the human mark back that it had before, or none.

    Raises:
        GuardFailed: nothing is left to undo.
        TransitionRefused, NotPermitted: the case isn't open with this person.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    repeated = _find_action(review, action_id)
    if repeated:
        return repeated
    rows = last_standing_action(review)
    if not rows:
        raise GuardFailed("There is nothing to undo in this review.")
    earlier = _marks_before(rows)
    undone = rows[0].action_id
    Correction.objects.bulk_create(
        Correction(
            review=review,
            cell_id=row.cell_id,
            cell_type=earlier[row.cell_id],
            is_withdrawn=not earlier[row.cell_id],
            action_id=action_id,
            undoes=undone,
            created_by=actor,
        )
        for row in rows
    )
    record(
        actor=actor,
        action="review.undone",
        target=review.case,
        before={"action": undone, "cells": {str(row.cell_id): row.cell_type for row in rows}},
        after={"action": action_id, "cells": {str(pk): mark for pk, mark in earlier.items()}},
        patient=review.case.patient_id,
    )
    return Action(action_id, tuple(row.cell_id for row in rows))


def last_standing_action(review: Review) -> list[Correction]:
    """Return the rows of the review's last step that was not taken back; empty if none."""
    undone = review.corrections.exclude(undoes=None).values("undoes")
    standing = review.corrections.filter(undoes=None).exclude(action_id__in=undone)
    last = standing.order_by("-pk").first()
    return list(standing.filter(action_id=last.action_id)) if last else []


def _load(review: Review, cell_ids: Collection[uuid.UUID]) -> list[Cell]:
    wanted = set(cell_ids)
    cells = list(
        Cell.objects.filter(pk__in=wanted, image__case=review.case).with_findings().order_by("pk")
    )
    if not wanted or len(cells) != len(wanted):
        raise GuardFailed("Choose cells of this case.")
    return cells


def _name(
    review: Review,
    cells: Collection[Cell],
    names: Mapping[uuid.UUID, str],
    *,
    action_id: uuid.UUID,
    reason: str,
) -> Action:
    repeated = _find_action(review, action_id)
    if repeated:
        if not set(repeated.cell_ids) <= set(names):
            raise EditConflict("This step was already recorded for other cells.")
        return repeated
    changed = [cell for cell in cells if cell.human_type != names[cell.pk]]  # type: ignore[attr-defined]
    if not changed:
        return Action(action_id, ())
    Correction.objects.bulk_create(
        Correction(
            review=review,
            cell=cell,
            cell_type=names[cell.pk],
            reason=reason.strip(),
            action_id=action_id,
            created_by=review.reviewer,
        )
        for cell in changed
    )
    record(
        actor=review.reviewer,
        action="cell.corrected",
        target=review.case,
        before={"cells": {str(cell.pk): _word_on(cell) for cell in changed}},
        after={
            "action": action_id,
            "cells": {str(cell.pk): names[cell.pk] for cell in changed},
        },
        reason=reason,
        patient=review.case.patient_id,
    )
    return Action(action_id, tuple(cell.pk for cell in changed))


def _word_on(cell: Cell) -> dict[str, str]:
    """Return what machine and human said before; the two are never mixed."""
    return {"machine": cell.machine_type or "", "human": cell.human_type}  # type: ignore[attr-defined]


def _find_action(review: Review, action_id: uuid.UUID) -> Action | None:
    """Return the step recorded under this id, if any.

    Raises:
        EditConflict: the id belongs to another review.
    """
    rows = list(Correction.objects.filter(action_id=action_id))
    if not rows:
        return None
    if any(row.review_id != review.pk for row in rows):
        raise EditConflict("This step was already recorded in another review.")
    return Action(action_id, tuple(row.cell_id for row in rows))


def _marks_before(rows: Collection[Correction]) -> dict[uuid.UUID, str]:
    """Return for each cell the human mark ("" for none) that held before these rows."""
    earlier = (
        Correction.objects.filter(
            cell__in=[row.cell_id for row in rows], pk__lt=min(row.pk for row in rows)
        )
        .order_by("cell_id", "-pk")
        .distinct("cell_id")
    )
    marks = {row.cell_id: row.cell_type for row in earlier}
    return {row.cell_id: marks.get(row.cell_id, "") for row in rows}
