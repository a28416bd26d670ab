"""Reference counts after CLSI H20: two blind readers, then an arbiter; beside the record."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from classifier.enums import CellType, ReadingSeat, StudyStatus
from classifier.findings import Box
from classifier.models.case import Case
from classifier.models.imaging import Cell
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from classifier.querysets import ReferenceReadingQuerySet, ReferenceStudyQuerySet


class ReferenceStudy(models.Model):
    """A reference count of one case: the same cells for two blind readers and an arbiter.

    It never changes the case. The cells were drawn at random, by `seed`, from the white cells
    that count.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reference_studies")
    status = models.CharField(
        max_length=12, choices=StudyStatus.choices, default=StudyStatus.READING
    )
    cells_wanted = models.PositiveSmallIntegerField(help_text="cells asked for, for each reader")
    seed = models.PositiveIntegerField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField("why it was cancelled", max_length=250, blank=True)

    objects = ReferenceStudyQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(ended_at__isnull=True),
                name="reference_study_one_open",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[StudyStatus.READING, StudyStatus.ARBITRATION], ended_at=None
                )
                | Q(
                    status__in=[StudyStatus.COMPLETE, StudyStatus.CANCELLED],
                    ended_at__isnull=False,
                ),
                name="reference_study_ended_has_time",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"reference count of {self.case}"

    def get_absolute_url(self) -> str:
        return reverse("classifier:study", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the study."""
        return str(self)

    @property
    def is_open(self) -> bool:
        """True while somebody is still to read."""
        return self.ended_at is None

    @property
    def shows_result(self) -> bool:
        """True once both blind readers are done, as nobody's marks are shown before."""
        return self.status in (StudyStatus.ARBITRATION, StudyStatus.COMPLETE)


class StudyCell(models.Model):
    """One cell of a study, at its place, with the box in which readers see it."""

    study = models.ForeignKey(ReferenceStudy, on_delete=models.PROTECT, related_name="cells")
    position = models.PositiveSmallIntegerField()
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="+")
    x0 = models.PositiveIntegerField()
    y0 = models.PositiveIntegerField()
    x1 = models.PositiveIntegerField()
    y1 = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "position"], name="study_cell_position_unique"
            ),
            models.UniqueConstraint(fields=["study", "cell"], name="study_cell_once_a_study"),
            models.CheckConstraint(
                condition=Q(x1__gt=F("x0"), y1__gt=F("y0")), name="study_cell_box_has_area"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"cell {self.position} of {self.study_id}"

    @property
    def box(self) -> Box:
        """Where the cell lies on its picture, in pixels."""
        return self.x0, self.y0, self.x1, self.y1


class ReferenceReading(models.Model):
    """One person's reading: blind in one of two seats, or as arbiter of the disagreements.

    Whoever leaves can't come back; another one takes the seat and reads all cells.
    """

    study = models.ForeignKey(ReferenceStudy, on_delete=models.PROTECT, related_name="readings")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reference_readings"
    )
    seat = models.PositiveSmallIntegerField(choices=ReadingSeat.choices)
    had_seen_record = models.BooleanField(
        help_text="The reader had looked at the patient's record before."
    )
    started_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    objects = ReferenceReadingQuerySet.as_manager()

    class Meta:
        ordering = ["seat", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "reader"], name="reference_reading_once_a_person"
            ),
            models.UniqueConstraint(
                fields=["study", "seat"],
                condition=Q(left_at__isnull=True),
                name="reference_reading_one_in_a_seat",
            ),
            models.CheckConstraint(
                condition=Q(seat__in=ReadingSeat.values), name="reference_reading_known_seat"
            ),
            models.CheckConstraint(
                condition=Q(completed_at=None) | Q(left_at=None),
                name="reference_reading_completed_or_left",
            ),
        ]
        indexes = [models.Index(fields=["reader", "completed_at"])]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"reading of {self.study_id} by {self.reader_id}"

    @property
    def is_open(self) -> bool:
        """True while the reader is at it."""
        return self.completed_at is None and self.left_at is None

    @property
    def is_arbitration(self) -> bool:
        """True if it judges the disagreements."""
        return self.seat == ReadingSeat.ARBITER


class ReferenceMark(models.Model):
    """What a reader calls a cell; append-only, the latest row of a reading's cell counts."""

    reading = models.ForeignKey(ReferenceReading, on_delete=models.PROTECT, related_name="marks")
    cell = models.ForeignKey(StudyCell, on_delete=models.PROTECT, related_name="marks")
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    action_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cell_type__in=CellType.values), name="reference_mark_known_class"
            ),
        ]
        indexes = [models.Index(fields=["reading", "cell", "-id"])]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.cell_id}: {self.cell_type}"
