"""The list of stored files, and the long work that is done with them."""

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from vault.enums import OPEN, JobKind, JobStatus


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    """Stored files by place."""

    def under(self, folder: str) -> Self:
        """Those whose name begins with a folder's, in the order of their names."""
        return self.filter(name__startswith=f"{folder.rstrip('/')}/").order_by("name")

    def kept(self) -> Self:
        """Those that were not disposed of: the store has them."""
        return self.filter(disposed_at=None)


class StoredFile(models.Model):
    """A file in the store; the row stands and falls with the transaction that stored it.

    ``sha256`` and ``size`` are of what the file holds, not of its sealed form. The row of a file
    that was disposed of stays, with when and why; ``erased_at`` is when its bytes were gone.
    ``key_id`` is the key that the file was last seen under: the file's own header decides. It is
    empty for files stored before it was noted, until a check or a rotation meets them.
    """

    name = models.CharField(max_length=255, primary_key=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    stored_at = models.DateTimeField(auto_now_add=True)
    key_id = models.CharField(max_length=16, blank=True, default="", db_default="", editable=False)
    disposed_at = models.DateTimeField(null=True, editable=False)
    disposed_because = models.CharField(max_length=250, blank=True, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[StoredFileQuerySet] = StoredFileQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="stored_file_has_hash"
            ),
            models.CheckConstraint(
                condition=Q(disposed_at=None, disposed_because="", erased_at=None)
                | Q(disposed_at__isnull=False) & ~Q(disposed_because=""),
                name="stored_file_disposed_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class VaultJobQuerySet(models.QuerySet["VaultJob"]):
    """Work on stored files by how far it is."""

    def unfinished(self) -> Self:
        """What waits or is being done."""
        return self.filter(status__in=OPEN)

    def held(self) -> Self:
        """What a worker is at, as far as anybody knows."""
        return self.filter(status=JobStatus.RUNNING, lease_expires_at__gt=Now())

    def claimable(self) -> Self:
        """What waits, and what was left by a worker that vanished."""
        return self.filter(
            Q(status=JobStatus.QUEUED) | Q(status=JobStatus.RUNNING, lease_expires_at__lte=Now())
        )


class VaultJob(models.Model):
    """A backup, a verification, a check or a rotation that a worker does or did.

    ``slot`` is the hour for which the clock asked; ``subject`` the id of the backup to be proved.
    ``done`` and ``total`` count files. ``result`` holds what the work found, for the page.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=JobKind.choices)
    subject = models.CharField(max_length=60, blank=True)
    slot = models.DateTimeField(null=True)
    status = models.CharField(max_length=8, choices=JobStatus.choices, default=JobStatus.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)
    result: Any = models.JSONField(default=dict)

    objects: ClassVar[VaultJobQuerySet] = VaultJobQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=JobKind.values), name="vault_job_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=JobStatus.values), name="vault_job_status_known"
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=Q(status__in=OPEN), name="vault_job_one_open_of_a_kind"
            ),
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status=JobStatus.RUNNING),
                name="vault_job_one_at_a_time",
            ),
            models.UniqueConstraint(fields=["kind", "slot"], name="vault_job_once_a_slot"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.requested_at:%Y-%m-%d %H:%M}"

    @property
    def failed_words(self) -> str:
        """What failed, and when, as a heading."""
        when = timezone.localtime(self.finished_at)
        return f"{self.get_kind_display()} of {when:%-d %B %Y, %H:%M} failed"

    @property
    def is_unfinished(self) -> bool:
        """True while a worker has something to do."""
        return self.status in OPEN
