"""Reference counts: open a study, read blind, arbitrate; the case itself is never changed."""

import random
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import AuditEvent
from classifier import policies
from classifier.enums import REVIEWABLE, CellType, DetectedKind, ReadingSeat, StudyStatus
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted, TransitionRefused
from classifier.models import (
    Cell,
    ReferenceMark,
    ReferenceReading,
    ReferenceStudy,
    StudyCell,
)
from classifier.selectors.reference_counts import cells_to_read, disagreements, marks_of
from classifier.services.transitions import lock_case

if TYPE_CHECKING:
    from accounts.models import User

CELLS_PER_READER = 200
MOST_CELLS = 500


@transaction.atomic
def open_study(
    *, case_id: uuid.UUID, actor: "User", cells_wanted: int = CELLS_PER_READER
) -> ReferenceStudy:
    """Open a reference count of a classified case, with cells drawn at random.

    Drawn are as many as asked for, or all if there are fewer, from the white cells that count
    (found by the detector or a picture of their own; whole, not removed, not seen twice), whatever
    anybody calls them. The seed is kept, so that the draw can be repeated.

    Raises:
        NotPermitted: the actor is neither pathologist nor manages the laboratory.
        TransitionRefused: the case isn't classified yet, or is rejected.
        GuardFailed: another study of the case is open, it has no white cell, or the number is odd.
    """
    if not policies.can_open_reference_count(actor):
        raise NotPermitted("You may not open reference counts.")
    if not 1 <= cells_wanted <= MOST_CELLS:
        raise GuardFailed(f"Each reader names between 1 and {MOST_CELLS} cells.")
    case = lock_case(case_id)
    if case.status not in REVIEWABLE:
        raise TransitionRefused(f"Case {case.accession_number} holds no classified cells.")
    if case.reference_studies.filter(ended_at=None).exists():
        raise GuardFailed("A reference count of this case is going on.")
    white = Cell.objects.filter(image__case=case, detected_as=DetectedKind.LEUKOCYTE).counted()
    cells = list(white.order_by("pk"))
    if not cells:
        raise GuardFailed("The case has no white cell to count.")
    study = case.reference_studies.create(
        cells_wanted=cells_wanted, seed=secrets.randbelow(2**31), opened_by=actor
    )
    _draw(study, cells)
    _audit(study, actor, "reference_study.opened", {"cells": study.cells.count()})
    return study


@transaction.atomic
def start_reading(*, study_id: uuid.UUID, actor: "User") -> ReferenceReading:
    """Take a seat: one of the two blind ones, or the arbiter's once those are done.

    Again is harmless. From then until the end of the reading its reader sees nothing of the
    patient's record.

    Raises:
        NotPermitted: the actor doesn't review, or had to do with the case.
        TransitionRefused: the study has ended, or no seat is free.
    """
    study = _lock(study_id)
    own = study.readings.filter(reader=actor).first()
    if own and own.left_at is None:
        return own
    if own:
        raise TransitionRefused("You left this reference count; you may not come back to it.")
    if not policies.can_read_reference_count(actor, study.case):
        raise NotPermitted(
            "Only a pathologist reads who had nothing to do with the case: neither submitted, "
            "reviewed or referred it, nor commented, gave an opinion, told a critical result or "
            "was checked on its cells."
        )
    seat = _free_seat(study)
    reading = study.readings.create(
        reader=actor, seat=seat, had_seen_record=_has_seen_record(study, actor)
    )
    _audit(study, actor, "reference_reading.started", {"seat": seat.label})
    return reading


@transaction.atomic
def mark_cell(
    *,
    study_id: uuid.UUID,
    actor: "User",
    position: int,
    cell_type: str,
    action_id: uuid.UUID,
) -> ReferenceMark:
    """Name a cell of one's own open reading; a later name replaces an earlier one.

    Raises:
        TransitionRefused: the actor isn't reading.
        GuardFailed: the cell isn't among those to read, or the class doesn't exist.
        EditConflict: the action id was used for something else.
    """
    reading = _lock_reading(study_id, actor)
    if cell_type not in CellType.values:
        raise GuardFailed("There is no such cell class.")
    repeated = ReferenceMark.objects.filter(action_id=action_id).select_related("cell").first()
    if repeated:
        same = (repeated.reading_id, repeated.cell.position) == (reading.pk, position)
        if not same or repeated.cell_type != cell_type:
            raise EditConflict("This step was already recorded for something else.")
        return repeated
    cell = next((each for each in cells_to_read(reading) if each.position == position), None)
    if cell is None:
        raise GuardFailed("This cell is not among those that you read.")
    return reading.marks.create(cell=cell, cell_type=cell_type, action_id=action_id)


@transaction.atomic
def complete_reading(*, study_id: uuid.UUID, actor: "User") -> ReferenceReading:
    """End one's reading; its marks can't be changed any more. Again is harmless.

    After the second blind reading the study waits for an arbiter, or is complete if the two
    agree on every cell; after the arbiter's it is complete.

    Raises:
        TransitionRefused: the actor isn't reading.
        GuardFailed: cells are still without a name.
    """
    study = _lock(study_id)
    done = study.readings.filter(reader=actor, completed_at__isnull=False).first()
    if done:
        return done
    reading = _lock_reading(study_id, actor)
    left = len(cells_to_read(reading)) - len(marks_of(reading))
    if left:
        noun = "cell is" if left == 1 else "cells are"
        raise GuardFailed(f"{left} {noun} still without a name.")
    reading.completed_at = timezone.now()
    reading.save(update_fields=["completed_at"])
    _audit(study, actor, "reference_reading.completed", {"cells": len(marks_of(reading))})
    _go_on(study, actor)
    return reading


@transaction.atomic
def leave_reading(*, study_id: uuid.UUID, actor: "User") -> ReferenceReading:
    """Give one's open reading up for good: its marks don't count, the seat is free again.

    Raises:
        TransitionRefused: the actor isn't reading.
    """
    study = _lock(study_id)
    reading = _lock_reading(study_id, actor)
    reading.left_at = timezone.now()
    reading.save(update_fields=["left_at"])
    _audit(study, actor, "reference_reading.left", {"cells": len(marks_of(reading))})
    return reading


@transaction.atomic
def cancel_study(*, study_id: uuid.UUID, actor: "User", reason: str) -> ReferenceStudy:
    """End a study without a result; its readings are kept.

    Raises:
        NotPermitted: the actor neither opened it nor manages the laboratory.
        TransitionRefused: it has ended.
        GuardFailed: no reason is given.
    """
    study = _lock(study_id)
    if study.opened_by_id != actor.pk and not actor.has_perm("accounts.manage_laboratory"):
        raise NotPermitted("Only who opened a reference count, or an administrator, cancels it.")
    if not study.is_open:
        raise TransitionRefused("This reference count has ended.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    study.reason = reason.strip()[:250]
    _end(study, StudyStatus.CANCELLED)
    _audit(study, actor, "reference_study.cancelled", {}, reason=reason)
    return study


def _draw(study: ReferenceStudy, cells: list[Cell]) -> None:
    number = min(study.cells_wanted, len(cells))
    drawn = random.Random(study.seed).sample(cells, number)  # noqa: S311 (a draw to be repeated)
    StudyCell.objects.bulk_create(
        StudyCell(
            study=study,
            position=position,
            cell=cell,
            **dict(zip(("x0", "y0", "x1", "y1"), cell.box_now, strict=True)),
        )
        for position, cell in enumerate(drawn, start=1)
    )


def _has_seen_record(study: ReferenceStudy, actor: "User") -> bool:
    """Say whether the audit trail knows the actor as a reader of anything about the patient."""
    about = AuditEvent.objects.about_patient(study.case.patient_id).filter(actor=actor)
    return about.exclude(action__startswith="reference_").exists()


def _free_seat(study: ReferenceStudy) -> ReadingSeat:
    wanted = {
        StudyStatus.READING: (ReadingSeat.FIRST, ReadingSeat.SECOND),
        StudyStatus.ARBITRATION: (ReadingSeat.ARBITER,),
    }.get(StudyStatus(study.status), ())
    taken = set(study.readings.standing().values_list("seat", flat=True))
    free = [seat for seat in wanted if seat not in taken]
    if not free:
        raise TransitionRefused("No reader is wanted for this reference count now.")
    return free[0]


def _go_on(study: ReferenceStudy, actor: "User") -> None:
    """Move the study on if a stage has ended."""
    done = study.readings.standing().filter(completed_at__isnull=False)
    seats = set(done.values_list("seat", flat=True))
    both = {ReadingSeat.FIRST, ReadingSeat.SECOND} <= seats
    if ReadingSeat.ARBITER in seats or (both and not disagreements(study)):
        _end(study, StudyStatus.COMPLETE)
        _audit(study, actor, "reference_study.completed", {"readers": len(seats)})
    elif both:
        study.status = StudyStatus.ARBITRATION
        study.save(update_fields=["status"])


def _end(study: ReferenceStudy, status: StudyStatus) -> None:
    study.status, study.ended_at = status, timezone.now()
    study.save(update_fields=["status", "ended_at", "reason"])


def _lock(study_id: uuid.UUID) -> ReferenceStudy:
    studies = ReferenceStudy.objects.select_for_update(of=("self",)).select_related("case")
    return studies.get(pk=study_id)


def _lock_reading(study_id: uuid.UUID, actor: "User") -> ReferenceReading:
    readings = ReferenceReading.objects.select_for_update(of=("self",)).open()
    found = readings.filter(study=study_id, reader=actor).select_related("study").first()
    if found is None:
        raise TransitionRefused("You are not reading this reference count.")
    return found


def _audit(
    study: ReferenceStudy, actor: "User", action: str, after: dict[str, Any], *, reason: str = ""
) -> None:
    record(
        actor=actor,
        action=action,
        target=study,
        after=after,
        reason=reason,
        patient=study.case.patient_id,
    )
