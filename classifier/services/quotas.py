"""How much one person may add within a day, so that nobody fills the store alone."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Count, Sum
from django.utils import timezone

from classifier.models import Slide, SmearImage

if TYPE_CHECKING:
    from accounts.models import User

DAY: Final = timedelta(days=1)


def why_beyond(actor: "User", *, size: int) -> str:
    """Return why a person may not add ``size`` further bytes now; nothing if they may.

    Counted are pictures and slides as uploaded, over the last 24 hours, by whoever added them, but
    not fields taken from slides; what was taken out of a case again counts no more. Uploads that
    arrive at the same moment may go beyond by what is under way.
    """
    files, added = _added(actor)
    if files + 1 > settings.UPLOADS_PER_DAY:
        limit = f"{settings.UPLOADS_PER_DAY:,} files"
    elif added + size > settings.UPLOAD_BYTES_PER_DAY:
        limit = f"{settings.UPLOAD_BYTES_PER_DAY / 1024**3:.1f} GB".replace(".0 GB", " GB")
    else:
        return ""
    return (
        f"Nobody adds more than {limit} within 24 hours here. Nothing was stored of this file. "
        "Go on later, or ask your administrator to raise the limit."
    )


def _added(actor: "User") -> tuple[int, int]:
    """Return how many files somebody added within a day, and their bytes."""
    files = size = 0
    for rows in (SmearImage.objects.filter(slide=None), Slide.objects.all()):
        own = rows.filter(uploaded_by=actor, uploaded_at__gt=timezone.now() - DAY)
        found = own.order_by().aggregate(files=Count("pk"), size=Sum("original_bytes"))
        files += found["files"]
        size += found["size"] or 0
    return files, size
