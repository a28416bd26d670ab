"""Read models of reference counts: what is to be read, how far readers are, who may do what."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q
from django.shortcuts import get_object_or_404

from classifier import policies
from classifier.enums import ReadingSeat, StudyStatus
from classifier.models import Case, ReferenceMark, ReferenceReading, ReferenceStudy, StudyCell
from classifier.selectors.blind_tasks import BlindTask
from classifier.selectors.class_keys import CLASS_KEYS

if TYPE_CHECKING:
    from accounts.models import User

BLIND_SEATS = (ReadingSeat.FIRST, ReadingSeat.SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(BlindTask):
    """What a reader is shown: the cell, own marks, and of a disagreement the two classes.

    Holds nothing that the machine or a reviewer said, nor, before arbitration, another reader.
    """

    reading: ReferenceReading
    contested: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one seat is; nobody is told more before both blind readers are done."""

    seat: ReadingSeat
    reading: ReferenceReading | None
    done: int
    total: int


def get_study(user: "User", study_id: uuid.UUID) -> ReferenceStudy:
    """Return a study the user may open, with its case; else Http404."""
    studies = ReferenceStudy.objects.visible_to(user).select_related("case__patient", "opened_by")
    return get_object_or_404(studies, pk=study_id)


def list_studies(user: "User") -> list[ReferenceStudy]:
    """Return the studies, open ones first, with `total` cells, readers `done`, and `own` reading.

    `own` is "open", "completed", "left" or empty.
    """
    completed = Q(readings__completed_at__isnull=False, readings__seat__in=BLIND_SEATS)
    studies = (
        ReferenceStudy.objects.visible_to(user)
        .select_related("case", "opened_by")
        .annotate(
            total=Count("cells", distinct=True),
            done=Count("readings", filter=completed, distinct=True),
        )
        .order_by("ended_at", "-opened_at")
    )
    own = {
        reading.study_id: _state(reading)
        for reading in ReferenceReading.objects.filter(reader=user, study__in=studies)
    }
    found: list[ReferenceStudy] = list(studies)
    found.sort(key=lambda study: not study.is_open)
    for study in found:
        study.own = own.get(study.pk, "")  # type: ignore[attr-defined]
    return found


def studies_of(user: "User", case: Case) -> list[ReferenceStudy]:
    """Return the studies of a case that the user may open, the latest first."""
    return list(ReferenceStudy.objects.visible_to(user).filter(case=case))


def sees_case(user: "User", study: ReferenceStudy) -> bool:
    """Say whether the user may open the case itself, which its blind readers may not."""
    return Case.objects.visible_to(user).filter(pk=study.case_id).exists()


def find_reading(study: ReferenceStudy, user: "User") -> ReferenceReading | None:
    """Return the reading that the user is at in this study."""
    open_ones = ReferenceReading.objects.open().filter(study=study, reader=user)
    return open_ones.select_related("study").first()


def can_start(user: "User", study: ReferenceStudy) -> bool:
    """Say whether a seat is free for the user."""
    if not study.is_open or not policies.can_read_reference_count(user, study.case):
        return False
    if study.readings.filter(reader=user).exists():
        return False
    wanted = BLIND_SEATS if study.status == StudyStatus.READING else (ReadingSeat.ARBITER,)
    taken = set(study.readings.standing().values_list("seat", flat=True))
    return any(seat not in taken for seat in wanted)


def progress_of(study: ReferenceStudy) -> list[Progress]:
    """Return how far each seat is; the arbiter's once there is something to arbitrate."""
    readings = {
        reading.seat: reading for reading in study.readings.standing().select_related("reader")
    }
    seats = list(BLIND_SEATS)
    if study.status == StudyStatus.ARBITRATION or ReadingSeat.ARBITER in readings:
        seats.append(ReadingSeat.ARBITER)
    total = study.cells.count()
    contested = len(disagreements(study)) if study.shows_result else 0
    return [
        Progress(
            seat,
            reading := readings.get(seat),
            len(marks_of(reading)) if reading else 0,
            contested if seat == ReadingSeat.ARBITER else total,
        )
        for seat in seats
    ]


def task_of(reading: ReferenceReading, wanted: int | None) -> Task:
    """Return the cell to show: the one asked for, else the first without a name, else the last."""
    positions = tuple(cell.position for cell in cells_to_read(reading))
    marks = marks_of(reading)
    if wanted not in positions:
        waiting = (position for position in positions if position not in marks)
        wanted = next(waiting, positions[-1])
    contested = disagreements(reading.study) if reading.is_arbitration else {}
    return Task(
        reading=reading, positions=positions, position=wanted, marks=marks, contested=contested
    )


def cells_to_read(reading: ReferenceReading) -> list[StudyCell]:
    """Return the cells of the reading: all of the study, or of an arbiter those in dispute."""
    cells = list(reading.study.cells.all())
    if not reading.is_arbitration:
        return cells
    contested = disagreements(reading.study)
    return [cell for cell in cells if cell.position in contested]


def marks_of(reading: ReferenceReading) -> dict[int, str]:
    """Return the class that the reader last gave each cell, by its position."""
    rows = ReferenceMark.objects.filter(reading=reading).order_by("cell__position", "-pk")
    latest = rows.distinct("cell__position")
    return dict(latest.values_list("cell__position", "cell_type"))


def blind_marks(study: ReferenceStudy) -> tuple[dict[int, str], dict[int, str]] | None:
    """Return both blind readers' marks; None until both are done."""
    done = study.readings.standing().filter(completed_at__isnull=False, seat__in=BLIND_SEATS)
    readings = {reading.seat: reading for reading in done}
    if len(readings) < len(BLIND_SEATS):
        return None
    first, second = (marks_of(readings[seat]) for seat in BLIND_SEATS)
    return first, second


def disagreements(study: ReferenceStudy) -> dict[int, tuple[str, ...]]:
    """Return the two classes of each cell in dispute, in the order of the keys, not of readers."""
    both = blind_marks(study)
    if both is None:
        return {}
    first, second = both
    return {
        position: tuple(
            str(item.cell_type) for item in CLASS_KEYS if item.cell_type in (name, second[position])
        )
        for position, name in sorted(first.items())
        if name != second[position]
    }


def _state(reading: ReferenceReading) -> str:
    if reading.left_at:
        return "left"
    return "completed" if reading.completed_at else "open"
