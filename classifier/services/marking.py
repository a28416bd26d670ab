"""Writing down what a reviewer says of cells; rows are only ever added.

All rows of one step carry the `action_id` that the client chose, so that a repeated request
changes nothing more.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max

from accounts.audit import record
from classifier.exceptions import EditConflict, GuardFailed, UnseenChange
from classifier.findings import HumanMark, unmarked
from classifier.models import Cell, Correction, Review
from classifier.services.critical import reassess

REASON_LIMIT = 250
Marks = Mapping[uuid.UUID, HumanMark]
Seen = Mapping[uuid.UUID, int]
"""The latest correction of each cell that whoever takes a step has seen; none is 0."""


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a review and the cells it touched; empty if nothing had to change."""

    action_id: uuid.UUID
    cell_ids: tuple[uuid.UUID, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What a reviewer asks for: under which id, as which action of the audit trail, and why.

    ``seen`` is what he knew of the cells; None where that isn't told, and not checked. ``facts``
    are told by the audit event too, beside what became of the cells.
    """

    action_id: uuid.UUID
    audited_as: str
    reason: str = ""
    seen: Seen | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.reason) > REASON_LIMIT:
            raise GuardFailed(f"The reason is longer than {REASON_LIMIT} characters.")


def load_cells(review: Review, cell_ids: Collection[uuid.UUID]) -> list[Cell]:
    """Return cells of the review's case with their findings.

    Raises:
        GuardFailed: one of them is of another case, or none is named.
    """
    wanted = set(cell_ids)
    found = Cell.objects.filter(pk__in=wanted, image__case=review.case).with_findings()
    cells = list(found.select_related("image").order_by("pk"))
    if not wanted or len(cells) != len(wanted):
        raise GuardFailed("Choose cells of this case.")
    return cells


def marks_of(cell_ids: Collection[uuid.UUID], *, before: int | None = None) -> Marks:
    """Return what reviewers say of each cell, now or before the row of this key."""
    rows = Correction.objects.filter(cell__in=cell_ids)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    latest = {row.cell_id: row.mark for row in rows.order_by("cell_id", "-pk").distinct("cell_id")}
    return {cell_id: latest.get(cell_id, HumanMark()) for cell_id in cell_ids}


def refuse_unseen(cell_ids: Collection[uuid.UUID], seen: Seen | None) -> None:
    """Refuse to write over what was said of these cells after they were seen.

    Call with the case's row locked, and only for cells that the step would change.

    Raises:
        UnseenChange: names those cells.
    """
    if seen is None:
        return
    said = Correction.objects.filter(cell__in=cell_ids).values_list("cell_id")
    newer = [cell_id for cell_id, last in said.annotate(Max("pk")) if last > seen.get(cell_id, 0)]
    if newer:
        raise UnseenChange(newer)


def find_action(review: Review, action_id: uuid.UUID) -> Action | None:
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


def mark_cells(review: Review, wanted: Marks, step: Step) -> Action:
    """Let these marks hold for the cells; those that carry them already are left alone.

    Raises:
        EditConflict: the action id was used for something else, or the step would overwrite what
            its author has not seen.
    """
    repeated = find_action(review, step.action_id)
    if repeated:
        if not set(repeated.cell_ids) <= set(wanted):
            raise EditConflict("This step was already recorded for other cells.")
        return repeated
    former = marks_of(list(wanted))
    changed = {cell_id: mark for cell_id, mark in wanted.items() if former[cell_id] != mark}
    if not changed:
        return Action(step.action_id, ())
    refuse_unseen(changed, step.seen)
    write_marks(review, changed, step)
    record(
        actor=review.reviewer,
        action=step.audited_as,
        target=review.case,
        before={"cells": _before(changed, former)},
        after={"action": step.action_id, "cells": _in_words(changed), **step.facts},
        reason=step.reason,
        patient=review.case.patient_id,
    )
    return Action(step.action_id, tuple(changed))


def take_back(review: Review, rows: Collection[Correction], step: Step) -> Action:
    """Give each cell of these rows, all of one step, the mark back that it had before.

    A cell that a reviewer had only just added is there no more.

    Raises:
        UnseenChange: the step, or what came after it, has not been seen.
    """
    cells = [row.cell_id for row in rows]
    refuse_unseen(cells, step.seen)
    origins = Cell.objects.filter(pk__in=cells).values_list("pk", "origin")
    marks = marks_of(cells, before=min(row.pk for row in rows))
    earlier = {
        cell_id: unmarked(origin) if marks[cell_id].is_empty else marks[cell_id]
        for cell_id, origin in origins
    }
    (undone,) = {row.action_id for row in rows}
    write_marks(review, earlier, step, undoes=undone)
    record(
        actor=review.reviewer,
        action=step.audited_as,
        target=review.case,
        before={"action": undone, "cells": _in_words({row.cell_id: row.mark for row in rows})},
        after={"action": step.action_id, "cells": _in_words(earlier)},
        patient=review.case.patient_id,
    )
    return Action(step.action_id, tuple(cells))


def do_again(
    review: Review, rows: Collection[Correction], step: Step, *, undo: uuid.UUID
) -> Action:
    """Let what these rows, all of one step, said hold again after ``undo`` took it back.

    Raises:
        UnseenChange: what was said of these cells since has not been seen.
    """
    marks = {row.cell_id: row.mark for row in rows}
    refuse_unseen(marks, step.seen)
    former = marks_of(list(marks))
    write_marks(review, marks, step, undoes=undo)
    record(
        actor=review.reviewer,
        action=step.audited_as,
        target=review.case,
        before={"action": undo, "cells": _in_words(former)},
        after={"action": step.action_id, "cells": _in_words(marks)},
        patient=review.case.patient_id,
    )
    return Action(step.action_id, tuple(marks))


def write_marks(
    review: Review, marks: Marks, step: Step, *, undoes: uuid.UUID | None = None
) -> None:
    """Add a row for each cell, and let the critical alert follow; whoever calls audits the step."""
    Correction.objects.bulk_create(
        Correction(
            review=review,
            cell_id=cell_id,
            **_columns(mark),
            is_withdrawn=mark.is_empty,
            reason=step.reason.strip(),
            action_id=step.action_id,
            undoes=undoes,
            created_by=review.reviewer,
        )
        for cell_id, mark in marks.items()
    )
    reassess(review.case)


def _columns(mark: HumanMark) -> dict[str, Any]:
    return {
        "cell_type": mark.cell_type,
        **dict(zip(("x0", "y0", "x1", "y1"), mark.box or (None,) * 4, strict=True)),
        "at_edge": mark.at_edge,
        "is_removed": mark.is_removed,
        "repeat_mark": mark.repeat,
    }


def _before(changed: Marks, former: Marks) -> dict[str, Any]:
    """What machine and human said before; the two are never mixed."""
    cells = Cell.objects.filter(pk__in=changed).with_findings()
    machine = {cell.pk: cell.machine_type for cell in cells}  # type: ignore[attr-defined]
    return {
        str(cell_id): {"machine": machine[cell_id] or "", "human": former[cell_id].as_json()}
        for cell_id in changed
    }


def _in_words(marks: Marks) -> dict[str, Any]:
    return {str(cell_id): mark.as_json() for cell_id, mark in marks.items()}
