"""Evaluations: a version reads every cell of a labelled set, and the figures that follow."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.enums import CellType
from classifier.models import ModelVersion
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from learning.enums import OPEN_WORK, WorkStatus
from learning.models.golden import LabelledCell, LabelledSet


class Evaluation(models.Model):
    """One version on one frozen set; a worker goes on where another stopped, cell by cell."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations")
    labelled_set = models.ForeignKey(
        LabelledSet, on_delete=models.PROTECT, related_name="evaluations"
    )
    status = models.CharField(max_length=8, choices=WorkStatus.choices, default=WorkStatus.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField()
    attempt = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=128, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    message = models.TextField(blank=True)
    figures = models.JSONField(default=dict)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "labelled_set"],
                condition=Q(status__in=[*OPEN_WORK, WorkStatus.DONE]),
                name="evaluation_once",
            ),
            models.CheckConstraint(
                condition=~Q(status=WorkStatus.DONE) | Q(finished_at__isnull=False),
                name="evaluation_done_has_end",
            ),
            models.CheckConstraint(
                condition=~Q(status=WorkStatus.FAILED) | ~Q(message=""),
                name="evaluation_failed_says_why",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"{self.version} on {self.labelled_set}"

    @property
    def is_open(self) -> bool:
        """True while it waits or runs."""
        return self.status in OPEN_WORK


class EvaluatedCell(models.Model):
    """What a version made of one labelled cell; never changed."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.PROTECT, related_name="cells")
    cell = models.ForeignKey(LabelledCell, on_delete=models.PROTECT, related_name="answers")
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    confidence = models.FloatField()
    probabilities = models.JSONField()
    is_referred = models.BooleanField()
    candidates = models.JSONField(default=list)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "cell"], name="evaluated_cell_once")
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.cell_type} {self.confidence:.2f}"
