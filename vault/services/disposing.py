"""Disposing of stored files: first it is decided, for good, then their bytes go.

The decision is a mark on each file's row, in the transaction of whoever decides. From its commit
on nothing takes it back, and erasing may be begun again as often as it is interrupted.
"""

from collections.abc import Collection, Sequence

from django.db import connection
from django.utils import timezone

from vault.models import StoredFile
from vault.stores import the_store


def mark_disposed(names: Collection[str], *, because: str) -> list[StoredFile]:
    """Mark files as disposed of, and return their rows; those marked before stay as they are.

    Must run in a transaction, that of the change and its audit event.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("Files are marked in the transaction that decides of them.")
    rows = StoredFile.objects.kept().filter(pk__in=names).select_for_update().order_by("name")
    found = list(rows)
    StoredFile.objects.filter(pk__in=[row.pk for row in found]).update(
        disposed_at=timezone.now(), disposed_because=because
    )
    return found


def files_to_erase(names: Collection[str]) -> Sequence[str]:
    """Return those of the files that were marked and whose bytes are not known to be gone."""
    marked = StoredFile.objects.filter(pk__in=names, disposed_at__isnull=False, erased_at=None)
    return list(marked.order_by("name").values_list("name", flat=True))


def erase(name: str) -> None:
    """Destroy the bytes of a file that was marked; gone already, that is noted.

    Raises:
        OSError: the store can't be reached; to be tried again.
    """
    marked = StoredFile.objects.filter(pk=name, disposed_at__isnull=False)
    if not marked.exists():
        raise ValueError("This file was not disposed of.")
    the_store().destroy(name)
    marked.filter(erased_at=None).update(erased_at=timezone.now())
