"""The store that the settings name."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from vault.stores.disk import DiskStore

if TYPE_CHECKING:
    from vault.stores.base import Store


def the_store() -> "Store":
    """Return the laboratory's store: the one at STORAGE_URL, else the folder MEDIA_ROOT."""
    if settings.STORAGE_URL:
        from vault.stores.s3 import store_at  # noqa: PLC0415 - boto3 is slow to load

        return store_at(settings.STORAGE_URL)
    return _folder(Path(settings.MEDIA_ROOT), durable=settings.STORAGE_DURABLE)


@lru_cache(maxsize=4)
def _folder(root: Path, *, durable: bool) -> DiskStore:
    return DiskStore(root, durable=durable)
