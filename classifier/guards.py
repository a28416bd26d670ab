"""What a case must fulfil before it moves; each guard reads a locked case.

A guard returns None when satisfied, else the sentence to show.
"""

from uuid import UUID

from django.db.models import QuerySet

from classifier.enums import OPEN_RUN_STATUSES, RunStatus
from classifier.models import Case, Cell, ClassificationRun, Correction


def has_usable_image(case: Case) -> str | None:
    """At least one picture was accepted."""
    if case.images.exists():
        return None
    return "Upload at least one image before submitting the case."


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


def referred_cells_resolved(case: Case) -> str | None:
    """A human has named every cell that the machine referred or could not read."""
    left = Cell.objects.filter(image__case=case).unresolved().count()
    if not left:
        return None
    noun = "cell is" if left == 1 else "cells are"
    return f"{left} referred {noun} still without a reviewer's decision."


def nothing_corrected_in_open_review(case: Case) -> str | None:
    """The open review left every cell as it found it; what was undone doesn't count."""
    in_review = Correction.objects.filter(review__case=case, review__completed_at__isnull=True)
    cells = in_review.values("cell_id")
    earlier = Correction.objects.filter(cell__in=cells).exclude(pk__in=in_review.values("pk"))
    before = _latest_marks(earlier)
    if any(mark != before.get(cell, "") for cell, mark in _latest_marks(in_review).items()):
        return "Cells were changed in this amendment: sign it, or undo the changes first."
    return None


def _latest_marks(corrections: QuerySet[Correction]) -> dict[UUID, str]:
    latest = corrections.order_by("cell_id", "-pk").distinct("cell_id")
    return dict(latest.values_list("cell_id", "cell_type"))


def _latest_statuses(case: Case) -> list[str]:
    runs = ClassificationRun.objects.filter(image__case=case).order_by("image_id", "-pk")
    return list(runs.distinct("image_id").values_list("status", flat=True))
