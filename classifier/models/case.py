"""The accessioned unit of work."""

import uuid

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from classifier.enums import CaseStatus, Priority
from classifier.models.patient import Patient
from classifier.models.protection import HAS_STANDING_PATIENT, NEVER_DELETED
from classifier.querysets import CaseQuerySet

SIGNED_STATUSES = (CaseStatus.SIGNED_OFF, CaseStatus.AMENDING, CaseStatus.ENTERED_IN_ERROR)


class AccessionCounter(models.Model):
    """The last accession number given out in a year; numbers are never reused."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last_number = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.year}: {self.last_number}"


@pghistory.track()
class Case(models.Model):
    """One request for a blood-smear examination; `status` moves only by `cases.transition`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    accession_number = models.CharField(max_length=16, unique=True, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="cases")
    status = models.CharField(
        max_length=24, choices=CaseStatus.choices, default=CaseStatus.REGISTERED
    )
    priority = models.CharField(max_length=8, choices=Priority.choices, default=Priority.ROUTINE)
    ordering_clinician = models.CharField(max_length=150, blank=True)
    clinical_details = models.TextField(blank=True)
    wbc_count = models.DecimalField(
        "analyser WBC count",
        help_text="10⁹/L",
        max_digits=6,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1000)],
    )
    wbc_measured_at = models.DateTimeField(null=True, blank=True)
    wbc_excludes_erythroblasts = models.BooleanField(
        "the analyser's count leaves out nucleated red cells",
        default=False,
        help_text="If so, it is not corrected for them again.",
    )
    status_reason = models.TextField(blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    registered_at = models.DateTimeField(auto_now_add=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    submitted_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    signed_at = models.DateTimeField(null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ["-registered_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=CaseStatus.values), name="case_status_known_value"
            ),
            models.CheckConstraint(
                condition=Q(priority__in=Priority.values), name="case_priority_known_value"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=SIGNED_STATUSES)
                | Q(signed_at__isnull=False, signed_by__isnull=False),
                name="case_signed_has_signer",
            ),
            models.CheckConstraint(
                condition=Q(wbc_count__isnull=True) | Q(wbc_count__gte=0),
                name="case_wbc_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["status", "priority", "registered_at"])]
        triggers = [*NEVER_DELETED, HAS_STANDING_PATIENT]

    def __str__(self) -> str:
        return self.accession_number

    def get_absolute_url(self) -> str:
        return reverse("classifier:case_detail", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the case."""
        return self.accession_number

    @property
    def is_unfinished(self) -> bool:
        """True while workers may still change the case without anybody's doing."""
        return self.status == CaseStatus.IN_CLASSIFICATION

    @property
    def is_signed(self) -> bool:
        """True once a report has been issued."""
        return self.status in SIGNED_STATUSES
