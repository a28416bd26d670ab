"""A sealed file as a file to read from: whole, or any part of it, each chunk verified."""

import io
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.sealing import (
    HEADER_BYTES,
    TAG_BYTES,
    Header,
    Keys,
    count_chunks,
    open_chunk,
    open_key,
)

AT_ONCE = 16
"""Chunks fetched at once where a reader wants all there is: 1 MiB."""


class Source(Protocol):
    """The stored bytes of a file."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes: ...

    def close(self) -> None: ...


class SealedReader(io.RawIOBase):
    """What a sealed file holds; it has no file descriptor, as nobody may send the sealed bytes."""

    def __init__(self, source: Source, header: Header, *, name: str, keys: Keys) -> None:
        self._source, self._header = source, header
        self._cipher = AESGCM(open_key(header, name=name, keys=keys))
        self._step = header.chunk_bytes + TAG_BYTES
        self._count = count_chunks(source.size - HEADER_BYTES, self._step)
        self._place = 0
        self._held: tuple[int, bytes] | None = None
        self.size = max(0, header.plain_size(source.size))
        if not self.size:
            self._chunk(0)

    @property
    def key_id(self) -> str:
        """The id of the laboratory's key that the file is under."""
        return self._header.key_id.hex()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("A place before the beginning of the file.")
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        number, within = divmod(self._place, self._header.chunk_bytes)
        if self._place >= self.size:
            return 0
        part = memoryview(self._chunk(number))[within : within + len(buffer)]
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)

    def readall(self) -> bytes:
        """Return all from here on; whole files are fetched in few steps."""
        if self._place >= self.size:
            return b""
        first, within = divmod(self._place, self._header.chunk_bytes)
        parts: list[bytes] = []
        for start in range(first, self._count, AT_ONCE):
            parts += self._open_many(start, min(AT_ONCE, self._count - start))
        self._place = self.size
        whole = b"".join(parts)
        return whole[within:] if within else whole

    def close(self) -> None:
        if not self.closed:
            self._held = None
            self._source.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        if self._held is None or self._held[0] != number:
            self._held = number, self._open_many(number, 1)[0]
        return self._held[1]

    def _open_many(self, first: int, count: int) -> list[bytes]:
        stored = self._source.read_at(HEADER_BYTES + first * self._step, count * self._step)
        return [
            open_chunk(
                self._cipher,
                self._header,
                stored[step * self._step : (step + 1) * self._step],
                first + step,
                is_last=first + step == self._count - 1,
            )
            for step in range(count)
        ]
