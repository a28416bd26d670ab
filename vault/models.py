"""The list of stored files: what is to be there, and what it is to hold."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q


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
    """

    name = models.CharField(max_length=255, primary_key=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    stored_at = models.DateTimeField(auto_now_add=True)
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
