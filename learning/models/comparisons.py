"""Comparisons of a candidate with the version in use, and the rule that they are judged by."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from classifier.models import ModelVersion
from classifier.models.limits import only_steps_change
from classifier.models.protection import APPEND_ONLY
from learning.models.evaluations import Evaluation


class AcceptanceRule(models.Model):
    """A version of the rule: by how many points a class's recall may fall, and who said so.

    Proposed by one person, approved by another; what the product came with has no proposer and
    holds, unapproved, until a version is approved. The highest that holds judges.
    """

    version = models.PositiveSmallIntegerField(unique=True)
    margin_points = models.DecimalField(
        "may fall by (points)",
        max_digits=4,
        decimal_places=1,
        validators=[MinValueValidator(0), MaxValueValidator(20)],
    )
    least_cells = models.PositiveSmallIntegerField(
        "cells to judge a class", validators=[MinValueValidator(5)]
    )
    source = models.CharField("grounds", max_length=250)
    effective_from = models.DateField(default=timezone.localdate)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    proposed_at = models.DateTimeField(default=timezone.now, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    approved_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True, help_text="of a proposal that was withdrawn")

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None)
                | Q(proposed_by__isnull=False) & ~Q(approved_by=F("proposed_by")),
                name="acceptance_rule_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="acceptance_rule_approved_when",
            ),
        ]
        triggers = only_steps_change("margin_points", "least_cells")

    def __str__(self) -> str:
        return f"acceptance rule v{self.version}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)

    @property
    def is_proposal(self) -> bool:
        """True while it waits for approval."""
        return bool(self.proposed_by_id) and not self.approved_by_id and not self.retired_at


class Comparison(models.Model):
    """A candidate against another version on the same cells, judged by a rule; never changed.

    ``table`` is what `ml.report.noninferiority.judge` says.
    """

    candidate = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="comparisons"
    )
    incumbent = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    evaluation = models.ForeignKey(Evaluation, on_delete=models.PROTECT, related_name="comparisons")
    other_evaluation = models.ForeignKey(Evaluation, on_delete=models.PROTECT, related_name="+")
    rule = models.ForeignKey(AcceptanceRule, on_delete=models.PROTECT, related_name="+")
    table = models.JSONField()
    is_refused = models.BooleanField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "other_evaluation", "rule"], name="comparison_once"
            ),
            models.CheckConstraint(
                condition=~Q(candidate=F("incumbent")), name="comparison_of_two"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.candidate} against {self.incumbent}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)


class RefusalOverride(models.Model):
    """A person's word that a refused candidate may be promoted all the same, by somebody else."""

    comparison = models.OneToOneField(Comparison, on_delete=models.PROTECT, related_name="override")
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="override_says_why")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"override of {self.comparison}"
