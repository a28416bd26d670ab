"""Control slides: what is expected of them, what the model read, what came of it.

No row here knows a patient, and no clinical table knows these rows: what is read of a control
can't reach a case, a report or a statistic of patients.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from classifier.enums import ImageKind
from classifier.models import ModelHold, ModelVersion
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from quality.enums import ControlStatus, Release, Rule, TargetBasis, Verdict


def picture_path(picture: "ControlPicture", _file_name: str) -> str:
    """Return where the lossless, metadata-free picture lies; names carry ids only."""
    return f"controls/{picture.run_id}/{picture.pk}.png"


class ControlMaterial(models.Model):
    """A slide, or the slides of one lot, whose cells are known."""

    name = models.CharField(max_length=64)
    lot = models.CharField(max_length=64)
    description = models.CharField(max_length=250, blank=True)
    expires_on = models.DateField(null=True, blank=True)
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
        ordering = ["name", "lot"]
        constraints = [
            models.UniqueConstraint(fields=["name", "lot"], name="control_material_unique")
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"{self.name}, lot {self.lot}"

    def get_absolute_url(self) -> str:
        """Return its chart."""
        return reverse("quality:control", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)


class ControlTarget(models.Model):
    """A version of what is expected of a control; the latest that is approved judges.

    `runs` says how many runs its values were established from.
    """

    material = models.ForeignKey(ControlMaterial, on_delete=models.PROTECT, related_name="targets")
    number = models.PositiveSmallIntegerField()
    basis = models.CharField(max_length=12, choices=TargetBasis.choices)
    runs = models.PositiveIntegerField(null=True)
    reason = models.CharField(max_length=250)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    approved_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["material", "number"], name="control_target_number_unique"
            ),
            models.UniqueConstraint(
                fields=["material"],
                condition=Q(approved_at=None, withdrawn_at=None),
                name="control_target_one_proposal",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False)
                & ~Q(approved_by=F("proposed_by")),
                name="control_target_approved_by_another",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"target {self.number} of {self.material}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)

    @property
    def is_proposal(self) -> bool:
        """Whether it waits to be approved."""
        return self.approved_at is None and self.withdrawn_at is None


class ControlTargetValue(models.Model):
    """Expected mean and standard deviation of one analyte, in its own unit."""

    target = models.ForeignKey(ControlTarget, on_delete=models.PROTECT, related_name="values")
    analyte = models.CharField(max_length=24)
    mean = models.FloatField()
    sd = models.FloatField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "analyte"], name="control_target_value_unique"
            ),
            models.CheckConstraint(condition=Q(sd__gt=0), name="control_target_sd_positive"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.analyte} {self.mean} ± {self.sd}"


class ControlRules(models.Model):
    """Which rules reject a run, how often a control is due; the newest row counts."""

    rules = ArrayField(models.CharField(max_length=4, choices=Rule.choices), default=list)
    due_hours = models.PositiveSmallIntegerField(null=True)
    missing_stops = models.BooleanField(default=False)
    reason = models.CharField(max_length=250)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"rules for controls of {self.set_at:%Y-%m-%d}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return "rules for controls"


class ControlRun(models.Model):
    """Pictures of a control read once by a version, and what the rules make of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    material = models.ForeignKey(ControlMaterial, on_delete=models.PROTECT, related_name="runs")
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="control_runs"
    )
    status = models.CharField(
        max_length=8, choices=ControlStatus.choices, default=ControlStatus.QUEUED
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    message = models.CharField(max_length=250, blank=True)
    comment = models.CharField(max_length=250, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    cells = models.PositiveIntegerField(null=True)
    target = models.ForeignKey(
        ControlTarget, on_delete=models.PROTECT, related_name="judged", null=True
    )
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True)

    class Meta:
        ordering = ["-started_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict="")
                | Q(status=ControlStatus.READ, target__isnull=False, verdict__in=Verdict.values),
                name="control_run_judged_when_read",
            ),
            models.CheckConstraint(
                condition=~Q(status=ControlStatus.FAILED) | ~Q(message=""),
                name="control_run_failed_says_why",
            ),
        ]
        indexes = [models.Index(fields=["material", "finished_at"])]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"control {self.material}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)


class ControlPicture(models.Model):
    """One picture of a control, re-encoded without metadata."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(ControlRun, on_delete=models.PROTECT, related_name="pictures")
    file = models.FileField(upload_to=picture_path)
    kind = models.CharField(max_length=8, choices=ImageKind.choices)
    original_name = models.CharField(max_length=255)
    original_sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "original_sha256"], name="control_picture_once_a_run"
            )
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return self.original_name


class ControlPoint(models.Model):
    """One analyte of a run: a point of its chart, with what was expected and which rules broke."""

    run = models.ForeignKey(ControlRun, on_delete=models.PROTECT, related_name="points")
    analyte = models.CharField(max_length=24)
    value = models.FloatField()
    mean = models.FloatField(null=True)
    sd = models.FloatField(null=True)
    broken = ArrayField(models.CharField(max_length=4, choices=Rule.choices), default=list)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "analyte"], name="control_point_unique"),
            models.CheckConstraint(
                condition=Q(mean=None, sd=None) | Q(mean__isnull=False, sd__gt=0),
                name="control_point_expected_in_full",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.analyte} {self.value:.2f}"

    @property
    def z(self) -> float | None:
        """How many standard deviations it lies above its mean; None where nothing is expected."""
        if self.mean is None or self.sd is None:
            return None
        return (self.value - self.mean) / self.sd


class ControlStop(models.Model):
    """That a control stopped a model, or its being missing did (`run` is None); how it ended."""

    hold = models.OneToOneField(ModelHold, on_delete=models.PROTECT, related_name="control_stop")
    run = models.ForeignKey(ControlRun, on_delete=models.PROTECT, related_name="stops", null=True)
    release = models.CharField(max_length=8, choices=Release.choices, blank=True)
    good_run = models.ForeignKey(
        ControlRun, on_delete=models.PROTECT, related_name="releases", null=True
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(good_run=None) | Q(release=Release.GOOD_RUN),
                name="control_stop_good_run_released_it",
            )
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return str(self.hold)

    def get_absolute_url(self) -> str:
        """Return its page."""
        return reverse("quality:control_stop", args=[self.pk])


class MissedControl(models.Model):
    """That a control was due and none was good; told once."""

    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="missed_controls"
    )
    due_at = models.DateTimeField()
    noticed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-due_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "due_at"], name="missed_control_told_once"
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"control due at {self.due_at:%Y-%m-%d %H:%M}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)
