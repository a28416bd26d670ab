"""Pictures of the smear and the cells on them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from classifier.enums import ImageKind
from classifier.models.case import Case
from classifier.querysets import CellQuerySet


def master_path(image: "SmearImage", _file_name: str) -> str:
    """Return where the lossless, metadata-free master lies; names carry ids only."""
    return f"images/{image.case_id}/{image.pk}.png"


def thumbnail_path(image: "SmearImage", _file_name: str) -> str:
    """Return where the small preview lies."""
    return f"thumbnails/{image.case_id}/{image.pk}.webp"


class SmearImage(models.Model):
    """One picture of a case, re-encoded without metadata; frozen after submission."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="images")
    file = models.FileField(upload_to=master_path)
    thumbnail = models.FileField(upload_to=thumbnail_path)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    kind = models.CharField(max_length=8, choices=ImageKind.choices)
    original_name = models.CharField(max_length=255)
    original_format = models.CharField(max_length=8)
    original_bytes = models.PositiveBigIntegerField()
    original_sha256 = models.CharField(max_length=64)
    notes = models.JSONField(default=list, blank=True, help_text="what was converted on upload")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "image"
        ordering = ["uploaded_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "original_sha256"], name="image_unique_within_case"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ImageKind.values), name="image_kind_known_value"
            ),
        ]

    def __str__(self) -> str:
        return self.original_name

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the image."""
        return self.case.accession_number


class Cell(models.Model):
    """A box on an image, in pixels from the top left; a single-cell image has one full box."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(SmearImage, on_delete=models.PROTECT, related_name="cells")
    x0 = models.PositiveIntegerField()
    y0 = models.PositiveIntegerField()
    x1 = models.PositiveIntegerField()
    y1 = models.PositiveIntegerField()

    objects = CellQuerySet.as_manager()

    class Meta:
        ordering = ["image__uploaded_at", "image_id", "y0", "x0"]
        constraints = [
            models.UniqueConstraint(
                fields=["image", "x0", "y0", "x1", "y1"], name="cell_box_unique"
            ),
            models.CheckConstraint(
                condition=Q(x1__gt=F("x0"), y1__gt=F("y0")), name="cell_box_has_area"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} {self.box}"

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The box as (x0, y0, x1, y1), pixels."""
        return self.x0, self.y0, self.x1, self.y1
