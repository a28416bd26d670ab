"""The laboratory's reference library: cells that show what a class looks like."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.enums import CellType
from classifier.models.imaging import Cell
from classifier.models.inference import ModelVersion
from classifier.models.protection import NEVER_DELETED
from classifier.querysets import ReferenceCellQuerySet

TEACHING_LIMIT = 1000


def reference_picture_path(reference: "ReferenceCell", _file_name: str) -> str:
    """Return where the picture lies, lossless and without metadata; names carry ids only."""
    return f"references/{reference.pk}.png"


def reference_thumbnail_path(reference: "ReferenceCell", _file_name: str) -> str:
    """Return where the small picture lies."""
    return f"references/{reference.pk}.webp"


class ReferenceCell(models.Model):
    """A cell to compare others with: cut from a signed case, or imported with its source.

    The picture is a copy of its own, as the classifier would see the cell; it names no patient.
    `embedding` is that of `embedded_by`, float16 and of length one; null where that model gives
    none. `sha256` is the imported file's. A cell that is no longer fit is retired, not deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="references", null=True)
    file = models.FileField(upload_to=reference_picture_path)
    thumbnail = models.FileField(upload_to=reference_thumbnail_path)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    pixels_per_micrometre = models.FloatField(null=True, editable=False)
    sha256 = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    teaching = models.TextField(
        "teaching text", blank=True, help_text="What to look at in this cell."
    )
    embedding = models.BinaryField(null=True)
    embedded_by = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+", null=True
    )
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField(auto_now_add=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    retired_at = models.DateTimeField(null=True)
    retired_reason = models.CharField(max_length=250, blank=True)

    objects = ReferenceCellQuerySet.as_manager()

    class Meta:
        ordering = ["-added_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cell_type__in=CellType.values) & ~Q(cell_type=CellType.UNIDENTIFIED),
                name="reference_cell_shows_a_class",
            ),
            models.CheckConstraint(
                condition=Q(cell__isnull=False, sha256="")
                | Q(cell=None) & ~Q(sha256="") & ~Q(source="") & ~Q(licence=""),
                name="reference_cell_says_where_it_is_from",
            ),
            models.UniqueConstraint(
                fields=["cell"],
                condition=Q(cell__isnull=False, retired_at=None),
                name="reference_cell_once_for_a_cell",
            ),
            models.UniqueConstraint(
                fields=["sha256"], condition=Q(cell=None), name="reference_cell_once_for_a_file"
            ),
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None, retired_reason="")
                | Q(retired_at__isnull=False, retired_by__isnull=False) & ~Q(retired_reason=""),
                name="reference_cell_retired_says_why",
            ),
        ]
        indexes = [
            models.Index(
                fields=["cell_type", "-added_at"],
                condition=Q(retired_at=None),
                name="reference_cell_by_class",
            )
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"reference {self.get_cell_type_display()}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)
