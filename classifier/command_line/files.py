"""Find the images that were named on a command line, and read them ahead of the model."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ml.errors import ImageRejected
from ml.kinds import Kind, guess_kind
from ml.preprocessing import decode_image

KindOption = Literal["cell", "field", "auto"]

IMAGE_SUFFIXES: Final = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".dib", ".webp"),
        *(".gif", ".heic", ".heif", ".avif", ".jp2"),
    )
)
"""What is picked up in a folder; the last five only to be refused in so many words."""

_BATCH: Final = 32
_BATCH_PIXELS: Final = 64_000_000
_READ_AHEAD: Final = 4
_AHEAD_PIXELS: Final = 16_000_000
_MAX_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file to read; `named` is the folder it was found in or below, None if named itself."""

    path: Path
    named: Path | None = None


@dataclass(slots=True)
class Item:
    """One file on its way through: either `pixels` to classify or the `error` that stopped it.

    `kind` is that insisted on, or else guessed; a file that cannot be read passes for a cell.
    """

    file: ImageFile
    kind: Kind = "cell"
    sha256: str = ""
    pixels: NDArray[np.uint8] | None = None
    error: str = ""
    seconds: float = 0.0


def find_images(paths: Iterable[Path]) -> Iterator[ImageFile]:
    """Yield each file named, and the image files below each folder named, in name order.

    A folder without images is yielded itself, so that it is reported.
    """
    for path in paths:
        if not path.is_dir():
            yield ImageFile(path)
            continue
        found = False
        for folder, names, files in os.walk(path):
            names.sort()
            for name in sorted(files):
                if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                    found = True
                    yield ImageFile(Path(folder, name), path)
        if not found:
            yield ImageFile(path, path)


def group(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Make batches of at most _BATCH cells and _BATCH_PIXELS pixels, in order; a field is alone."""
    batch: list[Item] = []
    pixels = 0
    for item in items:
        size = _size_of(item)
        is_full = len(batch) == _BATCH or pixels + size > _BATCH_PIXELS
        if batch and (is_full or "field" in (item.kind, batch[-1].kind)):
            yield batch
            batch, pixels = [], 0
        batch.append(item)
        pixels += size
    if batch:
        yield batch


def read_ahead(files: Iterable[ImageFile], kind: KindOption) -> Iterator[Item]:
    """Decode in threads while the model computes, in order, only a few files ahead.

    Of large files fewer: while more than _AHEAD_PIXELS wait, no further file is begun.
    """
    waiting: deque[Future[Item]] = deque()
    with ThreadPoolExecutor(max_workers=2) as pool:
        for file in files:
            waiting.append(pool.submit(read_item, file, kind))
            while len(waiting) > _READ_AHEAD or _pixels_in(waiting) > _AHEAD_PIXELS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _size_of(item: Item) -> int:
    return 0 if item.pixels is None else item.pixels.shape[0] * item.pixels.shape[1]


def _pixels_in(waiting: Iterable[Future[Item]]) -> int:
    """Of those that are decoded already."""
    return sum(_size_of(future.result()) for future in waiting if future.done())


def read_item(file: ImageFile, kind: KindOption) -> Item:
    """Read and decode one file; whatever is wrong with it ends up in `error`."""
    started = time.perf_counter()
    item = Item(file, kind="cell" if kind == "auto" else kind)
    try:
        data = _read_bytes(file.path)
        item.sha256 = hashlib.sha256(data).hexdigest()
        pixels = decode_image(data).pixels
        if kind == "auto":
            item.kind = guess_kind(pixels)
        item.pixels = pixels
    except ImageRejected as error:
        item.error = str(error)
    except OSError as error:
        item.error = f"The file cannot be read: {error.strerror or error}."
    item.seconds = time.perf_counter() - started
    return item


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise ImageRejected("empty", "The folder holds no image files.")
    if path.exists() and not path.is_file():
        raise ImageRejected("not_an_image", "This is not an ordinary file.")
    if path.stat().st_size > _MAX_BYTES:
        raise ImageRejected(
            "too_large", f"The file is larger than {_MAX_BYTES // 1024 // 1024} MB."
        )
    return path.read_bytes()
