"""What every store can do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from vault.reading import Source

Write = Callable[[BinaryIO], object]
"""Writes the sealed form of a file into what it is given."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored file; ``version`` changes with its bytes."""

    name: str
    size: int
    version: str


class Store(Protocol):
    """Sealed files by name. A name is written once, read often, and replaced only by a re-wrap."""

    place: str
    """In words, for people."""

    def put(self, name: str, write: Write) -> None:
        """Store a new file, whole or not at all; raises FileExistsError."""

    def replace(self, entry: Entry, write: Write) -> bool:
        """Put another form in a file's place; False if it changed or went meanwhile."""

    def open(self, name: str) -> Source:
        """Give the bytes of a file; raises FileNotFoundError."""

    def find(self, name: str) -> Entry | None:
        """Return what is known of a file, None if there is none."""

    def delete(self, name: str) -> None:
        """Remove a file; one that is gone already is no error."""

    def destroy(self, name: str) -> None:
        """Remove a file after its own key was made unreadable in place, where a store can do so."""

    def walk(self, folder: str = "") -> Iterator[Entry]:
        """Give all files under a folder, by name."""

    def free_bytes(self) -> int | None:
        """How much room there is; None where nobody knows."""

    def check(self) -> None:
        """Raise StoreAway or OSError with a sentence if files can't be stored or read."""
