"""Labelled sets: cells whose class two people agree on, frozen to judge models by."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from classifier.enums import CellType
from classifier.models import Cell
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from learning.enums import SetKind, SetState

_ONLY_DRAFTS_TAKE_CELLS = pgtrigger.Trigger(
    name="only_drafts_take_cells",
    operation=pgtrigger.Insert,
    when=pgtrigger.Before,
    func="""
        IF (SELECT state FROM learning_labelledset WHERE id = NEW.labelled_set_id) <> 'draft' THEN
            RAISE EXCEPTION 'only a draft takes cells';
        END IF;
        RETURN NEW;
    """,
)
_FROZEN_STAYS = pgtrigger.Protect(
    name="frozen_stays",
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition(
        "OLD.state <> 'draft' AND (NEW.state = 'draft' OR (OLD.name, OLD.version, OLD.kind,"
        " OLD.source, OLD.licence, OLD.digest, OLD.frozen_at) IS DISTINCT FROM (NEW.name,"
        " NEW.version, NEW.kind, NEW.source, NEW.licence, NEW.digest, NEW.frozen_at))"
    ),
)


def cell_path(cell: "LabelledCell", _file_name: str) -> str:
    """Return where a cell's picture lies, lossless and without metadata."""
    return f"labelled/{cell.labelled_set_id}/{cell.pk}.png"


class LabelledSet(models.Model):
    """A version of a set of labelled cells; once frozen it never changes, and a hash names it.

    ``digest`` is the SHA-256 of its cells' sorted keys, classes and picture hashes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=8, choices=SetKind.choices)
    source = models.CharField(max_length=200)
    licence = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=SetState.choices, default=SetState.DRAFT)
    digest = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    frozen_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    retired_at = models.DateTimeField(null=True)
    retired_because = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["kind", "name", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="labelled_set_unique"),
            models.CheckConstraint(
                condition=Q(state=SetState.DRAFT, digest="", frozen_at=None)
                | Q(state__in=[SetState.FROZEN, SetState.RETIRED], frozen_at__isnull=False)
                & ~Q(digest=""),
                name="labelled_set_frozen_has_digest",
            ),
        ]
        triggers = [*NEVER_DELETED, _FROZEN_STAYS]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)

    def get_absolute_url(self) -> str:
        """Return its page."""
        return reverse("learning:set", args=[self.pk])


class LabelledCell(models.Model):
    """One picture of one cell, as the classifier sees it, with the class that was agreed on.

    Cells of one ``group`` (a patient, a field) are drawn together for intervals. ``cell`` is the
    laboratory's own, null in an imported set. ``sha256`` is that of the decoded pixels' PNG.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    labelled_set = models.ForeignKey(LabelledSet, on_delete=models.PROTECT, related_name="cells")
    key = models.CharField(max_length=250)
    file = models.FileField(upload_to=cell_path)
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    group = models.CharField(max_length=250)
    sha256 = models.CharField(max_length=64, db_index=True)
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="golden", null=True)
    first_reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    second_reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["labelled_set", "key"], name="labelled_cell_unique"),
            models.CheckConstraint(
                condition=Q(cell_type__in=CellType.values) & ~Q(cell_type=CellType.UNIDENTIFIED),
                name="labelled_cell_has_a_class",
            ),
            models.CheckConstraint(
                condition=Q(cell=None)
                | Q(first_reader__isnull=False, second_reader__isnull=False)
                & ~Q(first_reader=F("second_reader")),
                name="labelled_cell_of_ours_has_two_readers",
            ),
        ]
        triggers = [*APPEND_ONLY, _ONLY_DRAFTS_TAKE_CELLS]

    def __str__(self) -> str:
        return f"{self.cell_type} {self.key}"


class Nomination(models.Model):
    """A cell of a signed case put forward for a draft, and what a second person calls it.

    The second reader sees the picture alone. Only where both say the same does the cell go in.
    """

    labelled_set = models.ForeignKey(
        LabelledSet, on_delete=models.PROTECT, related_name="nominations"
    )
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="nominations")
    first_type = models.CharField(max_length=24, choices=CellType.choices)
    first_reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    second_type = models.CharField(max_length=24, choices=CellType.choices, blank=True)
    second_reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["labelled_set", "cell"], name="nomination_unique"),
            models.CheckConstraint(
                condition=Q(second_type="", second_reader=None, read_at=None)
                | ~Q(second_type="")
                & Q(second_reader__isnull=False, read_at__isnull=False)
                & ~Q(second_reader=F("first_reader")),
                name="nomination_read_by_another",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"nomination {self.pk}"

    @property
    def is_agreed(self) -> bool:
        """True where both readers say the same."""
        return bool(self.second_type) and self.first_type == self.second_type
