"""Reader checks: known cells, dealt to readers apart from every case, and what they call them.

No clinical table knows these rows, as with controls: nothing here can reach a case, a count or a
report. A known cell keeps a picture of its own, without metadata.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from classifier.enums import CellType
from classifier.models import Cell, StudyCell
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from learning.models import LabelledCell


def known_cell_path(known: "KnownCell", _file_name: str) -> str:
    """Return where the picture lies; names carry ids only."""
    return f"known-cells/{known.pk}.webp"


class KnownCell(models.Model):
    """A cell whose class experts agreed on, from a reference count or from a labelled set.

    ``cell`` is the laboratory's own, null in a set from outside. ``group`` names its case, or the
    set's group. One whose class is in doubt is retired, and counts no more.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    group = models.CharField(max_length=250)
    cell = models.OneToOneField(Cell, on_delete=models.PROTECT, related_name="known", null=True)
    counted = models.OneToOneField(
        StudyCell, on_delete=models.PROTECT, related_name="known", null=True
    )
    labelled = models.OneToOneField(
        LabelledCell, on_delete=models.PROTECT, related_name="known", null=True
    )
    picture = models.FileField(upload_to=known_cell_path)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField(auto_now_add=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    retired_at = models.DateTimeField(null=True)
    retired_because = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["cell_type", "added_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cell_type__in=CellType.values) & ~Q(cell_type=CellType.UNIDENTIFIED),
                name="known_cell_has_a_class",
            ),
            models.CheckConstraint(
                condition=Q(counted__isnull=False, labelled=None)
                | Q(counted=None, labelled__isnull=False),
                name="known_cell_has_one_source",
            ),
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by=None, retired_because="")
                | Q(retired_at__isnull=False, retired_by__isnull=False) & ~Q(retired_because=""),
                name="known_cell_retired_says_why",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"known {self.get_cell_type_display()}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return "known cell"


class CheckRules(models.Model):
    """How often readers are checked, with how many cells; the newest row counts.

    ``every_days`` is null while no check is dealt by itself. Below ``least_percent`` of cells
    named as agreed, whoever manages the laboratory is told; null where nobody is.
    """

    every_days = models.PositiveSmallIntegerField(null=True)
    cells = models.PositiveSmallIntegerField()
    due_days = models.PositiveSmallIntegerField()
    least_percent = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(max_length=250)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"rules for reader checks of {self.set_at:%Y-%m-%d}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return "rules for reader checks"


class ReaderCheck(models.Model):
    """Known cells dealt to one reader, to be named blind by a day; completed once, or withdrawn."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reader_checks"
    )
    dealt_at = models.DateTimeField(auto_now_add=True)
    due_on = models.DateField()
    reminded_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True, help_text="when it was told that it is overdue")
    completed_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_because = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["-dealt_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["reader"],
                condition=Q(completed_at=None, withdrawn_at=None),
                name="reader_check_one_open",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None, withdrawn_because="")
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False, completed_at=None)
                & ~Q(withdrawn_because=""),
                name="reader_check_withdrawn_says_why",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"reader check due on {self.due_on}"

    def get_absolute_url(self) -> str:
        """Return its page: the cells while it is open, then the result."""
        return reverse("quality:check", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)

    @property
    def is_open(self) -> bool:
        """True while the reader is to name its cells."""
        return self.completed_at is None and self.withdrawn_at is None


class CheckCell(models.Model):
    """One known cell of a check, at its place."""

    check_of = models.ForeignKey(ReaderCheck, on_delete=models.PROTECT, related_name="cells")
    position = models.PositiveSmallIntegerField()
    known = models.ForeignKey(KnownCell, on_delete=models.PROTECT, related_name="dealt")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["check_of", "position"], name="check_cell_position_unique"
            ),
            models.UniqueConstraint(fields=["check_of", "known"], name="check_cell_once_a_check"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"cell {self.position} of {self.check_of_id}"


class CheckAnswer(models.Model):
    """What the reader calls a cell; append-only, the latest row of a cell counts."""

    cell = models.ForeignKey(CheckCell, on_delete=models.PROTECT, related_name="answers")
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    action_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cell_type__in=CellType.values), name="check_answer_known_class"
            ),
        ]
        indexes = [models.Index(fields=["cell", "-id"])]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.cell_id}: {self.cell_type}"
