"""Models of the classifier, their runs and what they predicted."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.enums import OPEN_RUN_STATUSES, CellType, RunStatus
from classifier.models.imaging import Cell, SmearImage
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from classifier.querysets import RunQuerySet


class ModelVersion(models.Model):
    """A released classifier; one is active.

    ``sha256`` is that of the weights, ``release_sha256`` that of the whole release, under which
    `classifier.model_store` keeps it; "" where only the installed folder has it. A candidate has
    no approver before somebody puts it in use.
    """

    name = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    sha256 = models.CharField(max_length=64)
    release_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    class_names = models.JSONField()
    metrics = models.JSONField(default=dict)
    confusion_of_accepted = models.JSONField(
        null=True, help_text="cells of the release's test that weren't referred: truth by name"
    )
    is_active = models.BooleanField(default=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-registered_at"]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="model_version_unique"),
            models.UniqueConstraint(
                fields=["is_active"], condition=Q(is_active=True), name="model_version_one_active"
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)


class ClassificationRun(models.Model):
    """One image read by one model version; claimed by a worker for a limited time."""

    image = models.ForeignKey(SmearImage, on_delete=models.PROTECT, related_name="runs")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="runs")
    status = models.CharField(max_length=12, choices=RunStatus.choices, default=RunStatus.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(auto_now_add=True)
    claimed_by = models.CharField(max_length=128, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    decode_ms = models.FloatField(null=True)
    inference_ms = models.FloatField(null=True)
    error_message = models.TextField(blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["queued_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["image", "model_version"],
                condition=Q(status__in=OPEN_RUN_STATUSES),
                name="run_one_open_per_image_and_model",
            ),
            models.CheckConstraint(
                condition=Q(status__in=RunStatus.values), name="run_status_known_value"
            ),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.RUNNING)
                | Q(lease_expires_at__isnull=False, started_at__isnull=False),
                name="run_running_has_lease",
            ),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.FAILED) | ~Q(error_message=""),
                name="run_failed_says_why",
            ),
        ]
        indexes = [models.Index(fields=["status", "queued_at"])]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"run {self.pk} ({self.status})"


class FieldScan(models.Model):
    """What the detector made of a field, once an image; its cells are rows of their own.

    `red_cell` is the median diameter of a red cell in pixels and `scale_basis` what tells it;
    `features` are those by which overlapping fields are recognised.
    """

    image = models.OneToOneField(SmearImage, on_delete=models.PROTECT, related_name="scan")
    run = models.ForeignKey(ClassificationRun, on_delete=models.PROTECT, related_name="scans")
    detector_name = models.CharField(max_length=64)
    detector_version = models.CharField(max_length=32)
    detector_sha256 = models.CharField(max_length=64)
    red_cell = models.FloatField()
    scale_basis = models.CharField(max_length=16)
    features = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"scan of {self.image_id}"

    @property
    def detector(self) -> str:
        """Name and version."""
        return f"{self.detector_name} {self.detector_version}"


class Prediction(models.Model):
    """What the model made of a cell; never changed.

    ``candidates`` are the classes it doesn't rule out, the likeliest first. ``embedding`` holds
    halves, little-endian (``ml.embedding.unpack``), to be compared within one model version.
    """

    run = models.ForeignKey(ClassificationRun, on_delete=models.PROTECT, related_name="predictions")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="predictions")
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    confidence = models.FloatField()
    probabilities = models.JSONField()
    is_referred = models.BooleanField()
    candidates = models.JSONField(default=list)
    embedding = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "cell"], name="prediction_one_per_run_and_cell"),
            models.CheckConstraint(
                condition=Q(cell_type__in=CellType.values), name="prediction_cell_type_known_value"
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1),
                name="prediction_confidence_is_probability",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.cell_type} {self.confidence:.2f}"
