"""Marking an image or a slide as disposed of, with all that was made of it.

Whether it may go is asked before, by whoever holds the cases' locks. The rows stay, with when and
by which rule; so do findings, marks and reports. Their files are erased afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.utils import timezone

from classifier.models import Explanation, Slide, SmearImage, StudyCell
from classifier.services.reading_pictures import name_of
from classifier.services.thumbnails import LARGE, SMALL, folder_of
from vault.models import StoredFile
from vault.services.disposing import mark_disposed

REASON_LIMIT: Final = 250


@dataclass(frozen=True, slots=True)
class Marked:
    """What was marked: rows that share the files, and the files with size and hash."""

    rows: tuple[SmearImage | Slide, ...]
    files: tuple[StoredFile, ...]

    @property
    def size(self) -> int:
        """Bytes that the files held."""
        return sum(file.size for file in self.files)


def sharers(thing: SmearImage | Slide) -> list[SmearImage] | list[Slide]:
    """Return the rows that have the same files, itself first of its age: copies and originals."""
    if isinstance(thing, SmearImage):
        return list(SmearImage.objects.filter(file=thing.file.name).order_by("pk"))
    keeper = thing.kept_by_id or thing.pk
    return list(Slide.objects.filter(Q(pk=keeper) | Q(kept_by=keeper)).order_by("pk"))


def names_of(thing: SmearImage | Slide) -> set[str]:
    """Return the names of all stored files that show the image or slide, whoever made them."""
    if isinstance(thing, SmearImage):
        return set(_names_of_image(thing))
    pieces = {name for file in thing.stored_files() for name in file}
    return {*pieces, str(thing.thumbnail.name or "")} - {""}


def mark(thing: SmearImage | Slide, *, because: str) -> Marked:
    """Mark an image or a slide, whatever shares its files, and these files."""
    rows = sharers(thing)
    names = set().union(*(names_of(row) for row in rows))
    at, because = timezone.now(), because[:REASON_LIMIT]
    files = mark_disposed(names, because=because)
    for row in rows:
        if row.disposed_at is None:
            _mark_row(row, at, because)
    return Marked(tuple(rows), tuple(files))


def _mark_row(row: SmearImage | Slide, at: datetime, because: str) -> None:
    row.disposed_at, row.disposed_because = at, because
    row.save(update_fields=["disposed_at", "disposed_because"])


def _names_of_image(image: SmearImage) -> Iterable[str]:
    yield from (str(image.file.name), str(image.thumbnail.name))
    for kind in (SMALL, LARGE):
        cut = StoredFile.objects.under(folder_of(image, kind))
        yield from cut.values_list("name", flat=True)
    maps = Explanation.objects.filter(cell__image=image).values_list("heat", "against")
    yield from (name for pair in maps for name in pair if name)
    for cell in StudyCell.objects.filter(cell__image=image):
        yield name_of(cell)
