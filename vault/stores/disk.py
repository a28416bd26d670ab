"""Files in a folder: written aside and linked into place, so that a name is a whole file."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from django.utils._os import safe_join

from vault.sealing import HEADER_BYTES, KEY_PART_BYTES
from vault.stores.base import Entry, Write

UNFINISHED = ".unfinished-"


class DiskSource:
    """An open file; readers of one do not disturb each other."""

    def __init__(self, path: Path) -> None:
        self._is_open = False
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._is_open = True
        self.size = os.fstat(self._file).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        return os.pread(self._file, length, offset)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._file)

    def __del__(self) -> None:
        self.close()


class DiskStore:
    """A folder; ``durable`` has a file on the disk before its name is."""

    def __init__(self, root: Path, *, durable: bool) -> None:
        self.root, self._durable = root, durable
        self.place = f"the folder {root}"

    def path(self, name: str) -> Path:
        """Return where a file lies; refuses names that lead out of the folder."""
        return Path(safe_join(str(self.root), name))

    def put(self, name: str, write: Write) -> None:
        path = self.path(name)
        with self._aside(path, write) as unfinished:
            path.hardlink_to(unfinished)
        self._settle(path.parent)

    def replace(self, entry: Entry, write: Write) -> bool:
        path = self.path(entry.name)
        with self._aside(path, write) as unfinished:
            if self.find(entry.name) != entry:
                return False
            unfinished.replace(path)
        self._settle(path.parent)
        return True

    def open(self, name: str) -> DiskSource:
        return DiskSource(self.path(name))

    def find(self, name: str) -> Entry | None:
        try:
            return _entry(name, self.path(name))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def delete(self, name: str) -> None:
        """Remove the file, and the folders that it leaves empty."""
        path = self.path(name)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self.root or self.root not in folder.parents:
                return
            try:
                folder.rmdir()
            except OSError:
                return

    def destroy(self, name: str) -> None:
        """Write over the file's own key, have that on the disk, then remove the file."""
        try:
            handle = os.open(self.path(name), os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            if os.fstat(handle).st_size >= HEADER_BYTES:
                os.pwrite(handle, bytes(KEY_PART_BYTES), HEADER_BYTES - KEY_PART_BYTES)
            os.fsync(handle)
        finally:
            os.close(handle)
        self.delete(name)

    def walk(self, folder: str = "") -> Iterator[Entry]:
        for place, folders, files in os.walk(self.path(folder) if folder else self.root):
            folders.sort()
            for file in sorted(files):
                path = Path(place, file)
                if not file.startswith(UNFINISHED):
                    with suppress(FileNotFoundError):
                        yield _entry(str(path.relative_to(self.root)), path)

    def free_bytes(self) -> int | None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free

    def check(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(f"The folder {self.root} can't be written.")

    @contextmanager
    def _aside(self, path: Path, write: Write) -> Iterator[Path]:
        """Write a file beside its place; whatever happens, nothing unfinished stays."""
        unfinished, target = self._begin(path)
        try:
            with target:
                write(target)
                target.flush()
                if self._durable:
                    os.fsync(target.fileno())
            yield unfinished
        finally:
            unfinished.unlink(missing_ok=True)

    def _begin(self, path: Path) -> tuple[Path, BinaryIO]:
        unfinished = path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        for _ in range(3):  # a folder may be removed, being empty, as soon as it is made
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                return unfinished, os.fdopen(os.open(unfinished, flags, 0o600), "wb")
        raise FileNotFoundError(f"The folder of {unfinished} can't be made.")

    def _settle(self, folder: Path) -> None:
        """Have the name on the disk too."""
        if not self._durable:
            return
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _entry(name: str, path: Path) -> Entry:
    found = path.stat()
    if not path.is_file():
        raise FileNotFoundError(name)
    return Entry(name, found.st_size, f"{found.st_mtime_ns}-{found.st_ino}")
