"""How cells looked, the baseline, and the drift that was noticed."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from classifier.models import Case, Cell, ModelVersion
from classifier.models.protection import APPEND_ONLY


class CaseAppearance(models.Model):
    """That the look of a case's cells was measured, on a sample of them; once a case."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="appearance")
    measured_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"appearance of {self.case}"


class CellAppearance(models.Model):
    """How stain and camera show one cell; the figures of `ml.appearance`."""

    cell = models.OneToOneField(Cell, on_delete=models.PROTECT, related_name="appearance")
    measured = models.ForeignKey(CaseAppearance, on_delete=models.PROTECT, related_name="cells")
    light = models.FloatField()
    warmth = models.FloatField()
    density = models.FloatField()
    hue = models.FloatField()

    class Meta:
        ordering = ["pk"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"appearance of {self.cell_id}"


class Baseline(models.Model):
    """The days that later ones of the same model are compared with; the newest row counts."""

    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="baselines"
    )
    first = models.DateField()
    last = models.DateField()
    reason = models.CharField(max_length=250)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(first__lte=F("last")), name="baseline_begins_before_it_ends"
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return f"baseline {self.first} to {self.last}"


class DriftAlert(models.Model):
    """That a figure of one week lay beyond its limit; told once."""

    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="drift_alerts"
    )
    monday = models.DateField()
    signal = models.CharField(max_length=16)
    value = models.FloatField()
    limit = models.FloatField()
    count = models.PositiveIntegerField()
    noticed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-monday", "signal"]
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "monday", "signal"], name="drift_alert_once_a_week"
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.signal} in the week of {self.monday}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return f"week of {self.monday}"
