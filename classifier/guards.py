"""What a case must fulfil before it moves; each guard reads a locked case.

A guard returns None when satisfied, else the sentence to show.
"""

from collections.abc import Callable
from uuid import UUID

from django.db.models import QuerySet

from classifier.critical import untold
from classifier.enums import OPEN_RUN_STATUSES, CaseStatus, RunStatus, SlideStatus
from classifier.findings import HumanMark, unmarked
from classifier.models import (
    Case,
    Cell,
    ClassificationRun,
    Correction,
    LegalHold,
    ModelHold,
    MorphologyFinding,
    TakenResult,
)

ISSUED_CHECKS: list[Callable[[Case], str | None]] = []
"""Say what was issued of a case and still stands; apps above add theirs when they load."""

CALL_FIRST = "Call, have it read back and record the call, or record why nobody could be told."


def has_usable_image(case: Case) -> str | None:
    """At least one picture was accepted, or taken from a slide."""
    if case.images.exists():
        return None
    if case.slides.filter(status=SlideStatus.READY).exists():
        return "Take fields from the slide before submitting the case."
    return "Upload at least one image before submitting the case."


def nothing_held(case: Case) -> str | None:
    """No legal hold is in force on the case or its patient's record.

    Whoever puts a hold takes the case's lock as well, so the answer stands until the end of the
    transaction that holds it.
    """
    if LegalHold.objects.in_force().over_case(case.pk, case.patient_id).exists():
        return "A legal hold is on this record: nothing of it may be removed or disposed of."
    return None


def slides_are_settled(case: Case) -> str | None:
    """No slide is still on its way, being checked, or being taken fields from."""
    slide = case.slides.unsettled().first()
    if slide is None:
        return None
    if slide.status == SlideStatus.UPLOADING:
        return f"The slide {slide} is not uploaded yet. Upload it to its end, or remove it."
    if slide.status == SlideStatus.CHECKING:
        return f"The slide {slide} is still being checked."
    return f"Fields are still being taken from the slide {slide}."


def every_run_succeeded(case: Case) -> str | None:
    """The latest run of every image succeeded."""
    statuses = _latest_statuses(case)
    if statuses and all(status == RunStatus.SUCCEEDED for status in statuses):
        return None
    return "Not every image has been classified."


def every_run_ended_with_a_failure(case: Case) -> str | None:
    """No run is open any more and the latest run of an image failed."""
    statuses = _latest_statuses(case)
    if any(status in OPEN_RUN_STATUSES for status in statuses):
        return "Images are still being classified."
    if RunStatus.FAILED in statuses:
        return None
    return "No image failed."


def is_not_about_to_be_read(case: Case) -> str | None:
    """Classification failed, or what a case in classification waits for is stopped."""
    if case.status != CaseStatus.IN_CLASSIFICATION:
        return None
    waiting = ClassificationRun.objects.open().filter(image__case=case)
    if waiting.filter(model_version__holds__in=ModelHold.objects.filter(ended_at=None)).exists():
        return None
    return "The classifier is reading this case."


def referred_cells_resolved(case: Case) -> str | None:
    """A human has named every cell that the machine referred or could not read."""
    left = Cell.objects.filter(image__case=case).unresolved().count()
    if not left:
        return None
    noun = "cell is" if left == 1 else "cells are"
    return f"{left} referred {noun} still without a reviewer's decision."


def critical_results_told(case: Case) -> str | None:
    """What the open alert says was told and read back, or given up for a stated reason."""
    alert = case.critical_alerts.filter(closed_at=None).first()
    if alert is None:
        return None
    left = untold(alert.snapshots.latest("pk").says, alert.told_findings())
    if not left:
        return None
    names = ", ".join(item.words for item in left)
    return f"A critical result was not told yet: {names}. {CALL_FIRST}"


def nothing_issued(case: Case) -> str | None:
    """Nothing that was issued of the case stands, so it can become another patient's."""
    return next((problem for check in ISSUED_CHECKS if (problem := check(case))), None)


def nothing_corrected_in_open_review(case: Case) -> str | None:
    """The open review left every cell as it found it; what was undone doesn't count."""
    in_review = Correction.objects.filter(review__case=case, review__completed_at__isnull=True)
    cells = in_review.values("cell_id")
    earlier = Correction.objects.filter(cell__in=cells).exclude(pk__in=in_review.values("pk"))
    before = _latest_marks(earlier)
    now = _latest_marks(in_review)
    origins = dict(Cell.objects.filter(pk__in=now).values_list("pk", "origin"))
    if any(mark != before.get(cell, unmarked(origins[cell])) for cell, mark in now.items()):
        return "Cells were changed in this amendment: sign it, or undo the changes first."
    return None


def nothing_graded_in_open_review(case: Case) -> str | None:
    """The open review left every grade of morphology as it found it."""
    findings = MorphologyFinding.objects.filter(review__case=case)
    now = _latest_grades(findings)
    if now != _latest_grades(findings.filter(review__completed_at__isnull=False)):
        return "Morphology was graded in this amendment: sign it, or set it back first."
    return None


def nothing_taken_in_open_review(case: Case) -> str | None:
    """The open review took no value of an analyser that came after signing."""
    taken = TakenResult.objects.filter(review__case=case, review__completed_at__isnull=True)
    if taken.exists():
        return "Analyser results were taken into this amendment: sign it."
    return None


def _latest_grades(findings: QuerySet[MorphologyFinding]) -> dict[str, tuple[object, ...]]:
    latest = findings.order_by("feature__code", "-pk").distinct("feature__code")
    columns = ("feature__code", "grade", "count", "comment")
    standing = (row for row in latest.values_list(*columns, "is_withdrawn") if not row[-1])
    return {code: tuple(said) for code, *said, _ in standing}


def _latest_marks(corrections: QuerySet[Correction]) -> dict[UUID, HumanMark]:
    latest = corrections.order_by("cell_id", "-pk").distinct("cell_id")
    return {row.cell_id: row.mark for row in latest}


def _latest_statuses(case: Case) -> list[str]:
    runs = ClassificationRun.objects.filter(image__case=case).order_by("image_id", "-pk")
    return list(runs.distinct("image_id").values_list("status", flat=True))
