"""What pathologists do with a case."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from classifier.enums import CellType, RepeatMark, ReviewOutcome
from classifier.findings import Box, HumanMark
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
    has_platelet_clumps = models.BooleanField(
        default=False, help_text="Platelets lie in clumps: no estimate is given."
    )

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


_NO_BOX = Q(x0=None, y0=None, x1=None, y1=None, at_edge=None)
_NOTHING = _NO_BOX & Q(cell_type="", is_removed=False, repeat_mark="")


class Correction(models.Model):
    """All that reviewers say of a cell; append-only, the latest row of a cell counts.

    Each row is whole: class, box, whether it is a cell at all, whether it was seen already. What
    is empty is left to the machine; a row with `is_withdrawn` leaves everything to it again.
    Rows of one action (a multi-select, an undo) share `action_id`.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="corrections")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="corrections")
    cell_type = models.CharField(max_length=24, choices=CellType.choices, blank=True)
    x0 = models.PositiveIntegerField(null=True)
    y0 = models.PositiveIntegerField(null=True)
    x1 = models.PositiveIntegerField(null=True)
    y1 = models.PositiveIntegerField(null=True)
    at_edge = models.BooleanField(null=True, help_text="whether the edge cuts this box")
    is_removed = models.BooleanField(default=False, help_text="there is no cell here")
    repeat_mark = models.CharField(max_length=8, choices=RepeatMark.choices, blank=True)
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
                condition=Q(cell_type__in=["", *CellType.values])
                & Q(repeat_mark__in=["", *RepeatMark.values]),
                name="correction_known_values",
            ),
            models.CheckConstraint(
                condition=Q(is_withdrawn=True) & _NOTHING | Q(is_withdrawn=False) & ~_NOTHING,
                name="correction_says_something_or_withdraws",
            ),
            models.CheckConstraint(
                condition=_NO_BOX
                | Q(
                    x0__isnull=False,
                    y0__isnull=False,
                    x1__gt=F("x0"),
                    y1__gt=F("y0"),
                    at_edge__isnull=False,
                ),
                name="correction_box_has_area",
            ),
        ]
        indexes = [models.Index(fields=["cell", "-id"])]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.cell_id} → {self.mark}"

    @property
    def mark(self) -> HumanMark:
        """What the row says, as one value."""
        return HumanMark(
            cell_type=self.cell_type,
            box=self._box,
            at_edge=self.at_edge,
            is_removed=self.is_removed,
            repeat=self.repeat_mark,
        )

    @property
    def _box(self) -> Box | None:
        if self.x0 is None or self.y0 is None or self.x1 is None or self.y1 is None:
            return None
        return self.x0, self.y0, self.x1, self.y1
