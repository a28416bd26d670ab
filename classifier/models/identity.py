"""Whose records and cases are whose: merges of patients, and cases of the wrong patient."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from classifier.models.case import Case
from classifier.models.patient import Patient
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED


class PatientMerge(models.Model):
    """That two records are of one person: `survivor` stands for both until it is taken back.

    `differences` are those of birth date and sex that the person who merged named.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    merged = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merges")
    survivor = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merges_into")
    reason = models.TextField()
    differences = models.JSONField(default=list)
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    merged_at = models.DateTimeField()
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    undone_at = models.DateTimeField(null=True)
    undo_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-merged_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_at=None), name="merge_one_standing"
            ),
            models.CheckConstraint(
                condition=~Q(merged=F("survivor")) & ~Q(reason=""), name="merge_of_two_with_reason"
            ),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None, undo_reason="")
                | Q(undone_at__isnull=False, undone_by__isnull=False) & ~Q(undo_reason=""),
                name="merge_undoing_whole",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"merge {self.pk}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it: no name, no number."""
        return str(self.pk)


class MergedCase(models.Model):
    """A case that a merge brought to the surviving record; undoing it takes the case back."""

    merge = models.ForeignKey(PatientMerge, on_delete=models.PROTECT, related_name="moved")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="merges")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["merge", "case"], name="merged_case_once"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.case_id} by {self.merge_id}"


class PatientCorrection(models.Model):
    """That a case was registered under the wrong patient and belongs to another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="patient_corrections")
    wrong = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    right = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    restarted_review = models.BooleanField()
    corrected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    corrected_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-corrected_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(wrong=F("right")) & ~Q(reason=""),
                name="patient_correction_of_two_with_reason",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"correction of {self.case_id}"


class CaseOrigin(models.Model):
    """That a case takes the place of one of the wrong patient, with its pictures and readings."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="origin")
    source = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="registered_again")
    reason = models.TextField()
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(case=F("source")) & ~Q(reason=""),
                name="case_origin_of_two_with_reason",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.case_id} in place of {self.source_id}"
