"""Damage as a disk does it: one bit of what was stored is another."""

from pathlib import Path


def last_bit_flipped(whole: bytes) -> bytes:
    """Return ``whole`` with its last bit turned, so that it is never the same by chance."""
    return whole[:-1] + bytes([whole[-1] ^ 1])


def spoil(path: Path) -> None:
    """Turn the last bit of the file at ``path``."""
    path.write_bytes(last_bit_flipped(path.read_bytes()))
