"""Django's storage of the laboratory's files: sealed as they are written, opened as they are read.

What a file holds is noted in `StoredFile`, in the transaction of whoever stores it.
"""

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, Self

from django.core.files.base import File
from django.core.files.storage import Storage, default_storage
from django.db import DatabaseError, connection
from django.utils import timezone

from vault.exceptions import Damaged, Disposed, KeysUnusable
from vault.keys import Key, Keyring, add_key, has_keys, load_keyring
from vault.models import StoredFile
from vault.reading import SealedReader
from vault.sealing import CHUNK_BITS, HEADER_BYTES, Sealed, is_sealed, read_header, seal
from vault.stores import Source, Store, the_store
from vault.stores.disk import DiskStore

_BUFFER = 1 << CHUNK_BITS


class VaultStorage(Storage):
    """Sealed files in the laboratory's store."""

    @property
    def store(self) -> Store:
        """Where the sealed files lie."""
        return the_store()

    def path(self, name: str) -> str:
        """Return where the sealed file lies, if it lies in a folder."""
        store = self.store
        if not isinstance(store, DiskStore):
            raise NotImplementedError("Files in an object store have no path.")
        return str(store.path(name))

    def exists(self, name: str) -> bool:
        return self.store.find(name) is not None

    def size(self, name: str) -> int:
        """Return the size of what the file holds."""
        with self.open(name) as file:
            return file.seek(0, io.SEEK_END)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the names of folders and of files in a folder."""
        start = f"{path.strip('/')}/" if path.strip("/") else ""
        entries = list(self.store.walk(start.rstrip("/")))
        if start and not entries:
            raise FileNotFoundError(path)
        rest = [entry.name.removeprefix(start) for entry in entries]
        folders = sorted({name.split("/", 1)[0] for name in rest if "/" in name})
        return folders, [name for name in rest if "/" not in name]

    def delete(self, name: str) -> None:
        """Remove a file and its row; in a transaction that failed, its end removes the row."""
        if not name:
            raise ValueError("The name must be given to delete().")
        self.store.delete(name)
        if not connection.needs_rollback:
            StoredFile.objects.filter(pk=name).delete()

    def _save(self, name: str, content: File) -> str:
        key = current_key()
        while True:
            try:
                sealed = self._put(name, content, key)
            except FileExistsError:
                name = self.get_available_name(name)
            else:
                break
        self._list(name, sealed, key)
        return name

    def _list(self, name: str, sealed: Sealed, key: Key) -> None:
        """Note what a file holds; one that can't be noted is not kept."""
        row = StoredFile(name=name, sha256=sealed.sha256, size=sealed.size, key_id=key.name)
        try:
            StoredFile.objects.bulk_create(
                [row],
                update_conflicts=True,
                unique_fields=["name"],
                update_fields=["sha256", "size", "stored_at", "key_id"],
            )
        except DatabaseError:
            self.store.delete(name)
            raise

    def _put(self, name: str, content: File, key: Key) -> Sealed:
        made: list[Sealed] = []

        def write(target: BinaryIO) -> None:
            made.append(seal(_blocks(content), target, name=name, key=key))

        self.store.put(name, write)
        return made[-1]

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode not in {"r", "rb"}:
            raise ValueError("A stored file is only read; write it anew under another name.")
        return OpenFile(name)


class OpenFile(File):
    """A stored file that was opened, and can be again once it is closed."""

    def __init__(self, name: str) -> None:
        super().__init__(open_stored(the_store(), name), name=name)

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> Self:
        if self.closed:
            self.file = open_stored(the_store(), str(self.name))
        else:
            self.seek(0)
        return self


def open_stored(store: Store, name: str, keys: Any = load_keyring) -> BinaryIO:
    """Open a stored file for reading.

    One from before the laboratory sealed its files is read as it is; but where the list says that
    a file was stored sealed, a plain one in its place was put there by somebody else.

    Raises:
        FileNotFoundError, VaultError: it is not there, or not what was stored.
    """
    source = _source(store, name)
    try:
        return _opened(source, name, keys)
    except BaseException:
        source.close()
        raise


def _source(store: Store, name: str) -> Source:
    """Open the sealed bytes; of a file that was disposed of, say so instead."""
    try:
        return store.open(name)
    except FileNotFoundError as error:
        row = StoredFile.objects.filter(pk=name, disposed_at__isnull=False).first()
        if row is None or row.disposed_at is None:
            raise
        raise Disposed(disposal_in_words(row.disposed_at, row.disposed_because)) from error


def refuse_disposed(row: Any) -> None:
    """Raise Disposed if a row's files were disposed of, whatever a process still has of them."""
    if row.disposed_at is not None:
        raise Disposed(disposal_in_words(row.disposed_at, row.disposed_because))


def disposal_in_words(at: datetime, because: str) -> str:
    """Say when and why something was disposed of."""
    return f"Disposed of on {timezone.localtime(at):%-d %B %Y} under the rule: {because}."


def _opened(source: Source, name: str, keys: Any) -> BinaryIO:
    head = source.read_at(0, HEADER_BYTES)
    if is_sealed(head):
        raw = SealedReader(source, read_header(head), name=name, keys=_ring(keys))
        return io.BufferedReader(raw, _BUFFER)
    if StoredFile.objects.filter(pk=name).exists():
        raise Damaged("A file that was stored sealed has been replaced by another.")
    return io.BufferedReader(PlainReader(source), _BUFFER)


def _ring(keys: Any) -> Keyring:
    ring: Keyring = keys() if callable(keys) else keys
    return ring


def current_key() -> Key:
    """Return the key for new files; the very first is made now.

    Raises:
        KeysUnusable: files were stored, so there were keys, and they are gone.
    """
    if not has_keys():
        if StoredFile.objects.exists():
            raise KeysUnusable(
                "The key file is gone, and files were sealed with its keys. Put it back; a new "
                "key would open none of them."
            )
        add_key(Key.make())
    return load_keyring().current


def delete_folder(folder: str) -> None:
    """Remove all files under a folder."""
    for entry in list(the_store().walk(folder)):
        default_storage.delete(entry.name)


class PlainReader(io.RawIOBase):
    """A file from before the laboratory sealed its files."""

    def __init__(self, source: Source) -> None:
        self._source, self._place, self.size = source, 0, source.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        part = self._source.read_at(self._place, len(buffer))
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


def _blocks(content: File) -> Iterator[bytes]:
    content.seek(0)
    while block := content.read(_BUFFER * 16):
        yield block if isinstance(block, bytes) else block.encode()
