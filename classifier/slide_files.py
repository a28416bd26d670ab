"""The slides that this process has open: a few, shared by its threads, each opened once.

OpenSlide reads nothing but files, so an open slide's files lie in this process' memory.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Final
from uuid import UUID

from django.conf import settings

from classifier.models import Slide as StoredSlide
from ml.errors import SlideRejected
from ml.slides.opening import open_slide
from ml.slides.slide import Slide
from vault.unlocking import Unlocked

MOST_OPEN: Final = 8
"""People who look at slides at once, in one process; what they read shares a cache in any case."""


@dataclass(slots=True)
class _Opened:
    """A slide that is open or about to be; once dropped, the last of its readers closes it."""

    bytes: int
    readers: int = 0
    is_dropped: bool = False
    opening: Lock = field(default_factory=Lock)
    files: Unlocked | None = None
    slide: Slide | None = None

    def open(self, stored: StoredSlide) -> Slide:
        """Open the slide unless another thread did so."""
        with self.opening:
            if self.slide is None:
                self.files = Unlocked(stored.stored_files())
                self.slide = open_slide(self.files.folder / "0")
            return self.slide

    def close(self) -> None:
        if self.slide is not None:
            self.slide.close()
        if self.files is not None:
            self.files.close()


_opened: OrderedDict[UUID, _Opened] = OrderedDict()
_lock = Lock()


@contextmanager
def opened(stored: StoredSlide) -> Iterator[Slide]:
    """Give a slide to read from; it stays open for the next one who asks.

    A slide that raises SlideRejected is dropped, as it reads nothing more. Raises SlideRejected,
    and OSError where its files cannot be got at.
    """
    entry = _borrow(stored)
    try:
        yield entry.open(stored)
    except (SlideRejected, OSError):
        with _lock:
            _drop(stored.pk, entry)
        raise
    finally:
        with _lock:
            entry.readers -= 1
            _close_if_unused(entry)


@contextmanager
def opened_alone(stored: StoredSlide) -> Iterator[Slide]:
    """Give a slide to one reader, who lets it go; raises as `opened`."""
    with Unlocked(stored.stored_files()) as files, open_slide(files.folder / "0") as slide:
        yield slide


def forget(slide_id: UUID) -> None:
    """Let go of a slide whose files are removed."""
    with _lock:
        if entry := _opened.get(slide_id):
            _drop(slide_id, entry)


def _borrow(stored: StoredSlide) -> _Opened:
    """Return the slide's entry; those used longest ago make room for it."""
    with _lock:
        entry = _opened.get(stored.pk) or _Opened(stored.original_bytes)
        _opened[stored.pk] = entry
        _opened.move_to_end(stored.pk)
        entry.readers += 1
        for other in list(_opened)[:-1]:
            if len(_opened) > MOST_OPEN or _bytes_held() > settings.SLIDE_MEMORY_BYTES:
                _drop(other, _opened[other])
    return entry


def _bytes_held() -> int:
    return sum(entry.bytes for entry in _opened.values())


def _drop(slide_id: UUID, entry: _Opened) -> None:
    entry.is_dropped = True
    if _opened.get(slide_id) is entry:
        del _opened[slide_id]
    _close_if_unused(entry)


def _close_if_unused(entry: _Opened) -> None:
    if entry.is_dropped and not entry.readers:
        entry.close()
