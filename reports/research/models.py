"""Exports for research, and the secrets by which patients are masked in them."""

import secrets
import uuid
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from classifier.models import Patient
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED

DAY_SECONDS: Final = 86_400
SHIFT_DAYS: Final = (30, 395)


def random_shift() -> int:
    """Return seconds by which a patient's times are moved back: 30 to 395 days, at random."""
    low, high = (days * DAY_SECONDS for days in SHIFT_DAYS)
    return low + secrets.randbelow(high - low)


def random_key() -> bytes:
    """Return a key for pseudonyms."""
    return secrets.token_bytes(32)


def archive_path(export: "ResearchExport", _file_name: str) -> str:
    """Return where an archive lies while it is kept."""
    return f"research/{export.pk}.zip"


class ResearchKey(models.Model):
    """The laboratory's key for pseudonyms; there is one, and it never leaves."""

    key = models.BinaryField(max_length=32, default=random_key)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="research_key_is_one")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return "research key"


class ResearchSubject(models.Model):
    """By how much a patient's times are moved back in every export; secret, and never changed."""

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="+")
    shift_seconds = models.PositiveIntegerField(default=random_shift)

    class Meta:
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return str(self.patient_id)

    @property
    def shift(self) -> timedelta:
        """The shift as a span of time."""
        return timedelta(seconds=self.shift_seconds)


class ExportStatus(models.TextChoices):
    """How far an export is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    DELETED = "deleted", "Deleted"


UNFINISHED = (ExportStatus.QUEUED, ExportStatus.RUNNING)


class ExportQuerySet(models.QuerySet):
    """Selections of exports."""

    def claimable(self) -> "ExportQuerySet":
        """Return exports that wait, and those whose worker vanished."""
        return self.filter(
            Q(status=ExportStatus.QUEUED)
            | Q(status=ExportStatus.RUNNING, lease_expires_at__lte=Now())
        )

    def expired(self) -> "ExportQuerySet":
        """Return exports that are kept longer than they should be."""
        return self.filter(status=ExportStatus.READY, expires_at__lte=Now())


class ResearchExport(models.Model):
    """One archive: who wanted it what for, how far it is, until when it is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    purpose = models.CharField(max_length=300)
    first = models.DateField("signed from")
    last = models.DateField("signed to")
    with_images = models.BooleanField("with pictures", default=True)
    status = models.CharField(
        max_length=8, choices=ExportStatus.choices, default=ExportStatus.QUEUED
    )
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    file = models.FileField(upload_to=archive_path, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ExportStatus.values), name="research_status_known_value"
            ),
            models.CheckConstraint(
                condition=~Q(status=ExportStatus.READY)
                | ~Q(file="") & ~Q(sha256="") & Q(expires_at__isnull=False),
                name="research_ready_has_file",
            ),
            models.CheckConstraint(
                condition=Q(last__gte=F("first")), name="research_period_in_order"
            ),
            models.CheckConstraint(condition=~Q(purpose=""), name="research_says_what_for"),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"research export {self.pk}"

    @property
    def is_unfinished(self) -> bool:
        """True while a worker has something to do."""
        return self.status in UNFINISHED
