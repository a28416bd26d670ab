"""The form of a sealed file: a header with its own key, wrapped, and chunks that prove themselves.

A file is encrypted by AES-256-GCM under a random key of its own, in chunks as in STREAM (Hoang,
Reyhanitabar, Rogaway, Vizár 2015): a chunk's nonce is the file's prefix, the chunk's number, and
whether it is the last. So no chunk can be altered, moved, left out or cut off, and each can be
read alone. The file's key is wrapped by one of the laboratory's keys, with the file's name and
all else in the header as authenticated data: a file put under another's name does not open.

    magic 7 | version 1 | log2 of the chunk 1 | prefix 7 | key id 8 | nonce 12 | wrapped key 48
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.exceptions import Damaged
from vault.keys import Key

MAGIC: Final = b"HVAULT\n"
VERSION: Final = 1
CHUNK_BITS: Final = 16
TAG_BYTES: Final = 16
_LAYOUT: Final = struct.Struct(">7sBB7s8s12s48s")
HEADER_BYTES: Final = _LAYOUT.size
KEY_PART_BYTES: Final = 60
"""The end of the header: nonce and wrapped key, without which no chunk can be opened."""
_CHUNK_BITS_READ: Final = range(12, 25)
MOST_CHUNKS: Final = 2**32
"""The counter's four bytes: 256 TiB of chunks."""


class Keys(Protocol):
    """Where a key is found by its id."""

    def find(self, key_id: bytes) -> Key: ...


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the chunks."""

    chunk_bits: int
    prefix: bytes
    key_id: bytes
    nonce: bytes
    wrapped: bytes

    def to_bytes(self) -> bytes:
        return _LAYOUT.pack(
            MAGIC, VERSION, self.chunk_bits, self.prefix, self.key_id, self.nonce, self.wrapped
        )

    @property
    def chunk_bytes(self) -> int:
        """How much of the file a chunk holds."""
        return 1 << self.chunk_bits

    def plain_size(self, stored: int) -> int:
        """Return the size of the file whose sealed form has ``stored`` bytes."""
        chunks = count_chunks(stored - HEADER_BYTES, self.chunk_bytes + TAG_BYTES)
        return stored - HEADER_BYTES - chunks * TAG_BYTES


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is known of a file once it was sealed."""

    sha256: str
    size: int


def is_sealed(head: bytes) -> bool:
    """Tell by its first bytes whether a file is sealed."""
    return head.startswith(MAGIC)


def read_header(head: bytes) -> Header:
    """Return the header at the beginning of a sealed file; raises Damaged."""
    if len(head) < HEADER_BYTES or not is_sealed(head):
        raise Damaged("The stored file has no whole header.")
    _, version, chunk_bits, *rest = _LAYOUT.unpack_from(head)
    if version != VERSION or chunk_bits not in _CHUNK_BITS_READ:
        raise Damaged(f"The stored file is of a form ({version}) that this release can't read.")
    return Header(chunk_bits, *rest)


def seal(source: Iterator[bytes], target: BinaryIO, *, name: str, key: Key) -> Sealed:
    """Write the sealed form of ``source`` into ``target``; memory holds two chunks at most."""
    header, file_key = _new_header(name, key)
    target.write(header.to_bytes())
    cipher, digest, size = AESGCM(file_key), hashlib.sha256(), 0
    for number, (chunk, is_last) in enumerate(_chunks(source, header.chunk_bytes)):
        digest.update(chunk)
        size += len(chunk)
        target.write(cipher.encrypt(_nonce(header, number, is_last=is_last), chunk, None))
    return Sealed(digest.hexdigest(), size)


def rewrap(header: Header, *, name: str, keys: Keys, key: Key) -> Header:
    """Return the header with the file's key wrapped by ``key``; the chunks stay as they are."""
    file_key = open_key(header, name=name, keys=keys)
    return _wrap(header.chunk_bits, header.prefix, file_key, name, key)


def open_key(header: Header, *, name: str, keys: Keys) -> bytes:
    """Return the file's own key; raises Damaged, or KeyUnknown."""
    wrapping = keys.find(header.key_id)
    try:
        return AESGCM(wrapping.secret).decrypt(
            header.nonce, header.wrapped, _bound(header.chunk_bits, header.prefix, wrapping, name)
        )
    except InvalidTag as error:
        raise Damaged("The stored file was altered, or is another file's.") from error


def open_chunk(cipher: AESGCM, header: Header, data: bytes, number: int, *, is_last: bool) -> bytes:
    """Return what a chunk holds; raises Damaged."""
    try:
        return cipher.decrypt(_nonce(header, number, is_last=is_last), data, None)
    except InvalidTag as error:
        raise Damaged("The stored file was altered or is incomplete.") from error


def count_chunks(size: int, chunk: int) -> int:
    """How many chunks ``size`` bytes are; an empty file has one."""
    return max(1, -(-size // chunk))


def _new_header(name: str, key: Key) -> tuple[Header, bytes]:
    file_key = os.urandom(32)
    return _wrap(CHUNK_BITS, os.urandom(7), file_key, name, key), file_key


def _wrap(chunk_bits: int, prefix: bytes, file_key: bytes, name: str, key: Key) -> Header:
    nonce = os.urandom(12)
    bound = _bound(chunk_bits, prefix, key, name)
    return Header(
        chunk_bits, prefix, key.id, nonce, AESGCM(key.secret).encrypt(nonce, file_key, bound)
    )


def _bound(chunk_bits: int, prefix: bytes, key: Key, name: str) -> bytes:
    """All that a wrapped key is bound to."""
    return MAGIC + bytes([VERSION, chunk_bits]) + prefix + key.id + name.encode()


def _nonce(header: Header, number: int, *, is_last: bool) -> bytes:
    if number >= MOST_CHUNKS:
        raise Damaged("The file is too large for this form.")
    return header.prefix + number.to_bytes(4, "big") + bytes([is_last])


def _chunks(source: Iterator[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut into chunks of ``size``, each with whether it is the last; nothing is one empty one."""
    held = bytearray()
    for block in source:
        held += block
        start = 0
        while len(held) - start > size:
            yield bytes(held[start : start + size]), False
            start += size
        del held[:start]
    yield bytes(held), True
