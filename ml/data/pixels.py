"""Decode records as serving does, once, and keep the pixels for the next run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.cutting import cut_cell
from ml.data.records import Record
from ml.preprocessing import decode_image, fit_square
from ml.strangers import PBC_MARGIN


def read_cell(record: Record, *, margin: float = PBC_MARGIN) -> NDArray[np.uint8]:
    """Decode a record's picture, uint8[H, W, 3] RGB, or of it the square round its box.

    The square's side is `margin` times the longer side of the box.
    """
    pixels = decode_image(record.path.read_bytes()).pixels
    return pixels if record.box is None else cut_cell(pixels, record.box, margin=margin)


def load_pixels(
    records: Sequence[Record],
    size: int,
    *,
    margin: float = PBC_MARGIN,
    workers: int = 2,
    on_progress: Callable[[], object] = lambda: None,
) -> NDArray[np.uint8]:
    """Decode through the serving path into uint8[N, size, size, 3] RGB."""
    pixels = np.empty((len(records), size, size, 3), dtype=np.uint8)

    def load(index: int) -> None:
        pixels[index] = fit_square(read_cell(records[index], margin=margin), size)
        on_progress()

    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(load, range(len(records))):
            pass
    return pixels


def cached_pixels(
    records: Sequence[Record],
    size: int,
    cache_dir: Path,
    *,
    on_progress: Callable[[], object] = lambda: None,
) -> NDArray[np.uint8]:
    """As `load_pixels`, kept as one .npy file per fold and size for the next run."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    ordered = "\n".join(record.key for record in records)
    digest = hashlib.sha256(ordered.encode()).hexdigest()[:16]
    path = cache_dir / f"{digest}-{size}.npy"
    if path.is_file():
        return np.asarray(np.load(path, mmap_mode="r"))
    pixels = load_pixels(records, size, on_progress=on_progress)
    part = path.with_suffix(".part.npy")
    np.save(part, pixels)
    part.replace(path)
    return pixels
