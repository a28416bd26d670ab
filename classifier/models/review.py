"""What pathologists do with a case."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.enums import CellType, ReviewOutcome
from classifier.models.case import Case
from classifier.models.imaging import Cell
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED


class Review(models.Model):
    """One pathologist's claim on a case, from opening to its outcome."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews"
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=ReviewOutcome.choices, blank=True)
    comment = models.TextField("interpretation", blank=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(completed_at__isnull=True), name="review_one_open"
            ),
            models.CheckConstraint(
                condition=Q(completed_at__isnull=True) | ~Q(outcome=""),
                name="review_completed_has_outcome",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"review of {self.case_id} by {self.reviewer_id}"


class Correction(models.Model):
    """A reviewer's class for a cell; append-only, the latest row of a cell counts.

    A row with `is_withdrawn` takes the human mark back: the machine's reading stands again.
    Rows of one action (a multi-select, an undo) share `action_id`.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="corrections")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="corrections")
    cell_type = models.CharField(max_length=24, choices=CellType.choices, blank=True)
    is_withdrawn = models.BooleanField(default=False)
    reason = models.CharField(max_length=250, blank=True)
    action_id = models.UUIDField(default=uuid.uuid4)
    undoes = models.UUIDField(null=True, help_text="the action that this one takes back")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_withdrawn=True, cell_type="")
                | Q(is_withdrawn=False, cell_type__in=CellType.values),
                name="correction_names_a_class_or_withdraws",
            ),
        ]
        indexes = [models.Index(fields=["cell", "-id"])]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.cell_id} → {self.cell_type or 'withdrawn'}"
