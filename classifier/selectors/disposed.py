"""What pages say of images and slides that were disposed of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from classifier.models import Slide, SmearImage


@dataclass(frozen=True, slots=True)
class DisposedOf:
    """How many images or slides went on a day under a rule."""

    what: str
    count: int
    on: date
    because: str


def disposed_of(things: Iterable[SmearImage | Slide]) -> list[DisposedOf]:
    """Return what of the images and slides was disposed of, by kind, day and rule."""
    counts: dict[tuple[str, date, str], int] = {}
    for thing in things:
        if thing.disposed_at is not None:
            what = "image" if isinstance(thing, SmearImage) else "slide"
            key = (what, timezone.localdate(thing.disposed_at), thing.disposed_because)
            counts[key] = counts.get(key, 0) + 1
    return [DisposedOf(what, count, on, why) for (what, on, why), count in sorted(counts.items())]
