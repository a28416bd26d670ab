"""Copies of everything about a patient: who asked for one what for, how far it is, until when."""

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from classifier.models import Patient
from classifier.models.protection import NEVER_DELETED
from retention.enums import UNFINISHED_COPY, CopyStatus


def copy_path(copy: "PatientCopy", _file_name: str) -> str:
    """Return where an archive lies while it is kept; the name says nothing of the patient."""
    return f"patient-copies/{copy.pk}.zip"


class PatientCopyQuerySet(models.QuerySet["PatientCopy"]):
    """Copies by how far they are."""

    def claimable(self) -> Self:
        """What waits, and what was left by a worker that vanished."""
        return self.filter(
            Q(status=CopyStatus.QUEUED) | Q(status=CopyStatus.RUNNING, lease_expires_at__lte=Now())
        )

    def expired(self) -> Self:
        """What was kept long enough."""
        return self.filter(status=CopyStatus.READY, expires_at__lte=Now())


class PatientCopy(models.Model):
    """One archive about one patient; ``done`` of ``total`` are steps of its making."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    purpose = models.CharField(max_length=300)
    with_slides = models.BooleanField(default=False)
    status = models.CharField(max_length=8, choices=CopyStatus.choices, default=CopyStatus.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    file = models.FileField(upload_to=copy_path, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    objects: ClassVar[PatientCopyQuerySet] = PatientCopyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "copy of everything about the patient"
        verbose_name_plural = "copies of everything about the patient"
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=CopyStatus.values), name="patient_copy_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=CopyStatus.READY)
                | ~Q(file="") & ~Q(sha256="") & Q(expires_at__isnull=False),
                name="patient_copy_ready_has_file",
            ),
            models.CheckConstraint(condition=~Q(purpose=""), name="patient_copy_says_what_for"),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"copy {self.pk}"

    @property
    def is_unfinished(self) -> bool:
        """True while a worker has something to do."""
        return self.status in UNFINISHED_COPY
