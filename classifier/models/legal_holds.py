"""Legal holds: nothing of a patient's record, or of one case, is lost while one is in force."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from classifier.models.case import Case
from classifier.models.patient import Patient
from classifier.models.protection import NEVER_DELETED
from classifier.querysets import LegalHoldQuerySet

_SAID = ("patient", "case", "reference", "reason", "put_by", "put_at", "follows")


class LegalHold(models.Model):
    """A hold on a patient's record or on one case, until somebody else lifts it.

    A hold on a record that was merged holds the surviving record too. Of a case that was given to
    another patient while its former patient's record was held, a hold of its own `follows` that.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="legal_holds", null=True
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="legal_holds", null=True)
    reference = models.CharField(max_length=120, help_text="file number, letter, court")
    reason = models.TextField()
    follows = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="followers", null=True
    )
    put_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    put_at = models.DateTimeField(default=timezone.now, editable=False)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.TextField(blank=True)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        ordering = ["-put_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(patient=None, case__isnull=False) | Q(patient__isnull=False, case=None),
                name="legal_hold_is_on_one_thing",
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(reference=""), name="legal_hold_says_why"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None, lift_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason="")),
                name="legal_hold_lifted_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(lifted_by=None) | ~Q(lifted_by=F("put_by")),
                name="legal_hold_lifted_by_somebody_else",
            ),
            models.UniqueConstraint(
                fields=["case", "follows"],
                condition=Q(lifted_at=None),
                name="legal_hold_follows_once",
            ),
        ]
        triggers = [
            *NEVER_DELETED,
            pgtrigger.Protect(
                name="never_edited",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(*_SAID),
            ),
        ]

    def __str__(self) -> str:
        return f"Legal hold {self.reference}"

    def get_absolute_url(self) -> str:
        return reverse("classifier:legal_hold", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return self.case.accession_number if self.case else ""

    @property
    def is_in_force(self) -> bool:
        """True until it is lifted."""
        return self.lifted_at is None
