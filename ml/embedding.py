"""Place cells as vectors, so that alike cells lie together: pooled features, made short."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.novelty import NoveltyStatistics

EMBEDDING_SIZE: Final = 64
"""Axes that keep neighbours as alike as all 1,280 features do (docs/models.md)."""

_STORED: Final = np.dtype("<f2")


def place(
    statistics: NoveltyStatistics, features: NDArray[np.float32], size: int
) -> NDArray[np.float16]:
    """Embeddings float16[N, size] of length 1, of pooled features float32[N, K].

    The first `size` principal coordinates of the cells that the network learned from. The dot
    product of two is the cosine of the angle between them, -1 to 1: the higher, the more alike.
    """
    placed = (features - statistics.mean) @ statistics.wide_axes[:, :size]
    lengths = np.linalg.norm(placed, axis=1, keepdims=True)
    return np.asarray(placed / np.maximum(lengths, 1e-9), dtype=np.float16)


def pack(embedding: NDArray[np.float16]) -> bytes:
    """The bytes under which an embedding float16[D] is stored: little-endian halves."""
    return embedding.astype(_STORED).tobytes()


def unpack(stored: bytes | memoryview) -> NDArray[np.float32]:
    """Read what `pack` wrote, float32[D], to compute with."""
    return np.frombuffer(stored, dtype=_STORED).astype(np.float32)
