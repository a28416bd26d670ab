"""Stored files as plain ones, in memory alone, for programs that want the path of a file."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Self

from django.core.files.storage import default_storage

_AT_ONCE = 1024 * 1024


class Unlocked:
    """A folder of names that lead to memory of this process; it goes with the process.

    Nothing plain is ever on a disk: the folder holds links to anonymous memory (memfd), which
    lead nowhere once the process has closed it, or has ended in whatever way. Close it, or use it
    in a ``with``. Each file is given as the names of its stored pieces, in order.

    Raises OSError where a piece is missing or damaged, or memory does not suffice.
    """

    def __init__(self, files: Sequence[Sequence[str]]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hematovision-slide-"))
        self._handles: list[int] = []
        try:
            for number, pieces in enumerate(files):
                (self.folder / str(number)).symlink_to(f"/proc/self/fd/{self._fill(pieces)}")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        rmtree(self.folder, ignore_errors=True)
        while self._handles:
            os.close(self._handles.pop())

    def _fill(self, pieces: Sequence[str]) -> int:
        handle = os.memfd_create("slide", os.MFD_CLOEXEC)
        self._handles.append(handle)
        for name in pieces:
            with default_storage.open(name) as source:
                while block := source.read(_AT_ONCE):
                    _write_all(handle, block)
        return handle


def _write_all(handle: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(handle, view) :]
