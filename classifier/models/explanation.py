"""Why a model gives a cell's picture a class: maps that a worker makes when somebody asks."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from classifier.enums import CellType, ExplanationMethod, ExplanationStatus
from classifier.findings import Box
from classifier.models.imaging import Cell
from classifier.models.inference import ModelVersion
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from classifier.querysets import ExplanationQuerySet


def heat_path(explanation: "Explanation", _file_name: str) -> str:
    """Return where the layer of what speaks for the class lies; names carry ids only."""
    return f"explanations/{explanation.cell.image.case_id}/{explanation.pk}.webp"


def against_path(explanation: "Explanation", _file_name: str) -> str:
    """Return where the layer of what speaks against the class lies."""
    return f"explanations/{explanation.cell.image.case_id}/{explanation.pk}-against.webp"


class Explanation(models.Model):
    """One method's answer to why one model version gives one box of a cell one class.

    The row is the queue as well as the answer. A map may be there before its scores are: then
    `heat` is set while the status is still running. `region` is what the worker looked at, left,
    top, width and height in pixels of the image; it may reach beyond the image.

    `heat` and `against` are transparent layers over `region`. `outlines` holds SVG paths round
    their strongest places, and the box that the network saw, in pixels of the region. `scores`
    are areas and curves of deletion and insertion (`ml.explain`), `caption` holds what the map
    means, what it does not, and reservations measured on this picture.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="explanations")
    x0 = models.PositiveIntegerField()
    y0 = models.PositiveIntegerField()
    x1 = models.PositiveIntegerField()
    y1 = models.PositiveIntegerField()
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="explanations"
    )
    method = models.CharField(max_length=12, choices=ExplanationMethod.choices)
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    status = models.CharField(
        max_length=12, choices=ExplanationStatus.choices, default=ExplanationStatus.QUEUED
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    claimed_by = models.CharField(max_length=128, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    duration_ms = models.FloatField(null=True)
    error_message = models.TextField(blank=True)
    probability = models.FloatField(null=True)
    heat = models.FileField(upload_to=heat_path, blank=True)
    against = models.FileField(upload_to=against_path, blank=True)
    region = models.JSONField(default=list, blank=True)
    outlines = models.JSONField(default=dict, blank=True)
    scores = models.JSONField(default=dict, blank=True)
    caption = models.JSONField(default=dict, blank=True)
    parameters = models.JSONField(default=dict, blank=True)

    objects = ExplanationQuerySet.as_manager()

    class Meta:
        ordering = ["requested_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cell", "x0", "y0", "x1", "y1", "model_version", "method", "cell_type"],
                name="explanation_made_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=ExplanationStatus.values),
                name="explanation_status_known_value",
            ),
            models.CheckConstraint(
                condition=Q(method__in=ExplanationMethod.values),
                name="explanation_method_known_value",
            ),
            models.CheckConstraint(
                condition=Q(cell_type__in=CellType.values),
                name="explanation_cell_type_known_value",
            ),
            models.CheckConstraint(
                condition=Q(done__lte=F("total")), name="explanation_done_up_to_its_total"
            ),
            models.CheckConstraint(
                condition=~Q(status=ExplanationStatus.RUNNING) | Q(lease_expires_at__isnull=False),
                name="explanation_running_has_lease",
            ),
            models.CheckConstraint(
                condition=~Q(status=ExplanationStatus.FAILED) | ~Q(error_message=""),
                name="explanation_failed_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(status=ExplanationStatus.DONE)
                | (~Q(heat="") & Q(finished_at__isnull=False, probability__isnull=False)),
                name="explanation_done_has_its_map",
            ),
        ]
        indexes = [models.Index(fields=["status", "requested_at"])]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"{self.method} of {self.cell_type} ({self.status})"

    @property
    def box(self) -> Box:
        """The box that was explained, (x0, y0, x1, y1) in pixels."""
        return self.x0, self.y0, self.x1, self.y1

    @property
    def is_open(self) -> bool:
        """True while it may change without anybody's doing."""
        return self.status in (ExplanationStatus.QUEUED, ExplanationStatus.RUNNING)

    @property
    def duration_seconds(self) -> float:
        """How long the worker took."""
        return (self.duration_ms or 0.0) / 1000

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return self.cell.image.case.accession_number


class TraitReading(models.Model):
    """What one model version says of the looks of a box of a cell; made with its first map.

    `traits` are dicts of `name`, `title`, `value`, `words`, `likeliest` and `probability` as
    `ml.morphology.Attribute` has them. There is no row where the release can't describe the cell.
    """

    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="trait_readings")
    x0 = models.PositiveIntegerField()
    y0 = models.PositiveIntegerField()
    x1 = models.PositiveIntegerField()
    y1 = models.PositiveIntegerField()
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    traits = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cell", "x0", "y0", "x1", "y1", "model_version"],
                name="trait_reading_made_once",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{len(self.traits)} traits of {self.cell_id}"
