"""What may be learned from: on what basis, whose cells, which of them, and what came of it."""

import uuid
from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from classifier.enums import CellType, Stain
from classifier.models import Cell, ModelVersion, Patient
from classifier.models.protection import NEVER_DELETED
from learning.enums import Method, TrainingState, WorkStatus

_USER = settings.AUTH_USER_MODEL


class BasisOfUse(models.Model):
    """On what basis the laboratory learns from its patients' cells; approved by another person.

    It covers cases that were signed on or after ``covers_from``. The highest approved version
    that was not ended holds; without one nothing may be learned from.
    """

    version = models.PositiveSmallIntegerField(unique=True)
    words = models.CharField(
        "basis",
        max_length=500,
        help_text="The law, the patients' consent or the ethics vote, with its number.",
    )
    licence = models.CharField(
        "licence of what is made of it",
        max_length=200,
        help_text="To whom a model that learned from the cells may be given.",
    )
    covers_from = models.DateField("covers cases signed from")
    proposed_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now, editable=False)
    approved_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+", null=True)
    approved_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True, help_text="withdrawn, or ended")

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False)
                & ~Q(approved_by=F("proposed_by")),
                name="basis_approved_by_another",
            ),
        ]
        triggers = [
            *NEVER_DELETED,
            pgtrigger.Protect(
                name="never_edited",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "version", "words", "licence", "covers_from", "proposed_by", "proposed_at"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"basis of use {self.version}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)

    @property
    def is_proposal(self) -> bool:
        """True while nobody has approved or withdrawn it."""
        return self.approved_at is None and self.retired_at is None


class PatientObjection(models.Model):
    """A patient does not want to be learned from; counts until it is taken back."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="objections")
    reason = models.CharField(max_length=250, blank=True)
    recorded_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+", null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-recorded_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(ended_at=None), name="objection_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(ended_by=None, ended_at=None)
                | Q(ended_by__isnull=False, ended_at__isnull=False),
                name="objection_ended_by_somebody",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"objection of patient {self.patient_id}"


def training_path(cell: "TrainingCell", _file_name: str) -> str:
    """Return where a cell's picture lies, lossless and without metadata."""
    return f"training/{cell.training_set_id}/{cell.cell_id}.png"


class TrainingSet(models.Model):
    """A version of what is learned from: cells of signed cases that a person named.

    ``counts`` say how many cells were left out, by reason. Frozen it never changes, and
    ``digest`` (see `ml.training_sets`) names its cells, classes, patients and pictures.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.PositiveIntegerField(unique=True)
    since = models.DateField("signed from")
    until = models.DateField("signed until")
    stain = models.CharField(max_length=24, choices=Stain.choices, blank=True)
    basis = models.ForeignKey(BasisOfUse, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=12, choices=TrainingState.choices, default=TrainingState.GATHERING
    )
    counts = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+", null=True)
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gte=F("since")), name="training_set_period_runs_forward"
            ),
            models.CheckConstraint(
                condition=~Q(state=TrainingState.FROZEN) & Q(digest="", frozen_at=None)
                | Q(state=TrainingState.FROZEN, frozen_at__isnull=False) & ~Q(digest=""),
                name="training_set_frozen_has_digest",
            ),
        ]
        triggers = [
            *NEVER_DELETED,
            pgtrigger.Trigger(
                name="frozen_stays",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF OLD.state = 'frozen' THEN
                        RAISE EXCEPTION 'a frozen training set never changes';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"training set {self.version}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)

    def get_absolute_url(self) -> str:
        """Return its page."""
        return reverse("learning:training_set", args=[self.pk])


_ONLY_DRAFTS_CHANGE = pgtrigger.Trigger(
    name="only_open_sets_change",
    operation=pgtrigger.Insert | pgtrigger.Update,
    when=pgtrigger.Before,
    func="""
        IF (SELECT state FROM learning_trainingset WHERE id = NEW.training_set_id) = 'frozen' THEN
            RAISE EXCEPTION 'a frozen training set never changes';
        END IF;
        RETURN NEW;
    """,
)


class TrainingCell(models.Model):
    """One cell of a set, as the classifier sees it, with the class that a person gave it.

    ``sha256`` is that of the picture's PNG. ``other_names`` lists who calls it something else, as
    pairs of `Voice` and class. ``left_out`` is the reason of who left it out, "" while it is in.
    """

    training_set = models.ForeignKey(TrainingSet, on_delete=models.PROTECT, related_name="cells")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="training_cells")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    cell_type = models.CharField(max_length=24, choices=CellType.choices)
    named_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    file = models.FileField(upload_to=training_path)
    sha256 = models.CharField(max_length=64)
    other_names = models.JSONField(default=list)
    left_out = models.CharField(max_length=250, blank=True)
    left_out_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["training_set", "cell"], name="training_cell_once"),
            models.UniqueConstraint(
                fields=["training_set", "sha256"], name="training_cell_picture_once"
            ),
            models.CheckConstraint(
                condition=Q(left_out="", left_out_by=None)
                | ~Q(left_out="") & Q(left_out_by__isnull=False),
                name="training_cell_left_out_by_somebody",
            ),
        ]
        triggers = [*NEVER_DELETED, _ONLY_DRAFTS_CHANGE]

    def __str__(self) -> str:
        return f"{self.cell_type} {self.cell_id}"


class Retraining(models.Model):
    """A candidate being made of a version and a frozen set, in a process of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    training_set = models.ForeignKey(
        TrainingSet, on_delete=models.PROTECT, related_name="retrainings"
    )
    base = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=8, choices=Method.choices, default=Method.RETRAIN)
    status = models.CharField(max_length=8, choices=WorkStatus.choices, default=WorkStatus.QUEUED)
    step = models.CharField(max_length=64, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=250, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    version = models.OneToOneField(
        ModelVersion, on_delete=models.PROTECT, related_name="retraining", null=True
    )
    asked_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    is_judged = models.BooleanField(default=False)

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["training_set", "base", "method"],
                condition=Q(status__in=[WorkStatus.QUEUED, WorkStatus.RUNNING]),
                name="retraining_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(status=WorkStatus.DONE) | Q(version__isnull=False),
                name="retraining_done_has_version",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[WorkStatus.FAILED, WorkStatus.STOPPED]) | ~Q(message=""),
                name="retraining_failed_says_why",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        if self.method == Method.ADAPT:
            return f"adaptation of {self.base} to {self.training_set}"
        return f"retraining of {self.base} on {self.training_set}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)

    @property
    def is_open(self) -> bool:
        """True while a worker has it or will have it."""
        return self.status in (WorkStatus.QUEUED, WorkStatus.RUNNING)

    @property
    def left_names_alone(self) -> bool:
        """True where adapting moved nothing that names a cell, and fitted its limits alone."""
        found = self.version.metrics.get("adaptation") if self.version else None
        return found is not None and found["pull"] is None

    def is_trained_at(self, moment: datetime) -> bool:
        """True while a worker that is alive is at it."""
        held = self.status == WorkStatus.RUNNING and self.lease_expires_at
        return bool(held and held >= moment)
