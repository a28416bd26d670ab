"""Shadow trials: a candidate reads what the version in use has read, and nobody is told."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.enums import CellType
from classifier.models import Cell, ClassificationRun, ModelVersion
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from learning.enums import WorkStatus


class ShadowTrial(models.Model):
    """A candidate reading in shadow, from when to when; one at a time for a version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="trials")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(ended_at=None), name="shadow_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="shadow_ended_by_somebody",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"shadow of {self.version}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)


class ShadowReading(models.Model):
    """One live run read again by the candidate; the run itself knows nothing of it."""

    trial = models.ForeignKey(ShadowTrial, on_delete=models.PROTECT, related_name="readings")
    run = models.ForeignKey(
        ClassificationRun, on_delete=models.PROTECT, related_name="shadow_readings"
    )
    status = models.CharField(max_length=8, choices=WorkStatus.choices)
    message = models.CharField(max_length=250, blank=True)
    milliseconds = models.FloatField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["trial", "run"], name="shadow_read_once")]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"shadow reading {self.pk}"


class ShadowPrediction(models.Model):
    """What the candidate makes of a live cell; it is no prediction of the case."""

    reading = models.ForeignKey(ShadowReading, on_delete=models.PROTECT, related_name="predictions")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="shadow_predictions")
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    likeliest = models.CharField(max_length=24, choices=CellType.choices)
    confidence = models.FloatField()
    probabilities = models.JSONField()
    is_referred = models.BooleanField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["reading", "cell"], name="shadow_prediction_once")
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.cell_type} {self.confidence:.2f}"
