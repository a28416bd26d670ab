"""What the registry keeps of a release: its files, how it came, how it came into use."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from classifier.models import ModelVersion
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from learning.enums import Origin, PromotionKind, SetKind, UploadStatus
from learning.models.golden import LabelledSet


def upload_path(upload: "ArchiveUpload", _file_name: str) -> str:
    """Return where an archive lies until it is decided about; names carry ids only."""
    return f"model-uploads/{upload.pk}"


class ModelRelease(models.Model):
    """A release that the store keeps: its files by hash, its spec, and how it came here.

    ``probe`` is what it did with drawn cells before it was accepted.
    """

    version = models.OneToOneField(ModelVersion, on_delete=models.PROTECT, related_name="release")
    digest = models.CharField(max_length=64, unique=True)
    files = models.JSONField(help_text="name to SHA-256")
    spec = models.JSONField()
    origin = models.CharField(max_length=12, choices=Origin.choices)
    note = models.CharField(max_length=250, blank=True)
    probe = models.JSONField(default=dict)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-added_at"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"release {self.digest[:12]}"


class ArchiveUpload(models.Model):
    """An archive that somebody uploaded, until a worker has opened it and decided."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.FileField(upload_to=upload_path)
    original_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    status = models.CharField(
        max_length=12, choices=UploadStatus.choices, default=UploadStatus.CHECKING
    )
    message = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"upload {self.pk}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return str(self)


class CandidateUpload(ArchiveUpload):
    """An archive of a release, to be tried and registered as a candidate."""

    note = models.CharField(max_length=250, blank=True)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="uploads", null=True
    )

    class Meta:
        ordering = ["-uploaded_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status=UploadStatus.CHECKING, version=None, decided_at=None)
                | Q(status=UploadStatus.ACCEPTED, version__isnull=False, decided_at__isnull=False)
                | Q(status=UploadStatus.REFUSED, version=None, decided_at__isnull=False)
                & ~Q(message=""),
                name="upload_decided_says_how",
            ),
        ]
        triggers = NEVER_DELETED


class SetUpload(ArchiveUpload):
    """An archive of labelled pictures, to be checked and frozen as a version of a labelled set.

    ``step``, ``done`` and ``total`` say how far the worker is.
    """

    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=SetKind.choices)
    source = models.CharField(max_length=200)
    licence = models.CharField(max_length=200)
    step = models.CharField(max_length=64, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    labelled_set = models.OneToOneField(
        LabelledSet, on_delete=models.PROTECT, related_name="upload", null=True
    )

    class Meta:
        ordering = ["-uploaded_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status=UploadStatus.CHECKING, labelled_set=None, decided_at=None)
                | Q(
                    status=UploadStatus.ACCEPTED,
                    labelled_set__isnull=False,
                    decided_at__isnull=False,
                )
                | Q(status=UploadStatus.REFUSED, labelled_set=None, decided_at__isnull=False)
                & ~Q(message=""),
                name="set_upload_decided_says_how",
            ),
        ]
        triggers = NEVER_DELETED


class Promotion(models.Model):
    """A version put in use by a named person who gave the password again; never changed.

    By command it is the system that approves, without a password, for the ``operator``: the
    account of the machine under which the command ran.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    replaced = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+", null=True
    )
    kind = models.CharField(max_length=12, choices=PromotionKind.choices)
    reason = models.CharField(max_length=500)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reauthenticated_by = models.CharField(max_length=16, blank=True)
    reauthenticated_at = models.DateTimeField(null=True)
    operator = models.CharField(max_length=100, blank=True)
    comparisons = models.ManyToManyField("learning.Comparison", related_name="promotions")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=PromotionKind.values) & ~Q(reason=""),
                name="promotion_says_why",
            ),
            models.CheckConstraint(
                condition=Q(replaced=None) | ~Q(replaced=F("version")),
                name="promotion_replaces_another",
            ),
            models.CheckConstraint(
                condition=Q(kind=PromotionKind.BY_COMMAND, reauthenticated_at=None)
                & ~Q(operator="")
                | ~Q(kind=PromotionKind.BY_COMMAND)
                & Q(reauthenticated_at__isnull=False, operator=""),
                name="promotion_is_proven_or_by_command",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"

    def get_absolute_url(self) -> str:
        """Return the page of the version."""
        return reverse("learning:model", args=[self.version_id])
