"""Classify images or folders of them from the command line, without web, worker or database."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from numpy.typing import NDArray
from tqdm import tqdm

from classifier.inference import get_classifier
from ml.errors import ArtifactError, ImageRejected
from ml.kinds import guess_kind
from ml.preprocessing import decode_image
from ml.types import BoundingBox, Prediction

IMAGE_SUFFIXES: Final = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".dib", ".webp"),
        *(".gif", ".heic", ".heif", ".avif", ".jp2"),
    )
)
"""What is picked up in a folder; the last five only to be refused in so many words."""

FIELD_REFUSED: Final = (
    "The image shows a whole field of a smear. Fields cannot be taken apart into cells yet: "
    "cut out the cells, or use --kind cell if it does show a single one."
)
_BATCH: Final = 32
_BATCH_PIXELS: Final = 64_000_000
_READ_AHEAD: Final = 4
_MAX_BYTES: Final = 256 * 1024 * 1024


@dataclass(slots=True)
class Item:
    """One file on its way through: either `pixels` to classify or the `error` that stopped it."""

    path: Path
    sha256: str = ""
    pixels: NDArray[np.uint8] | None = None
    error: str = ""
    seconds: float = 0.0


class Command(BaseCommand):
    """Print one line an image; exit status 1 if any image failed."""

    help = "Classify images of single blood cells; folders are searched for images."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--kind", choices=("cell", "field", "auto"), default="auto")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, paths: list[Path], kind: str, json: bool, **options: Any) -> None:
        files = list(find_images(paths))
        failed = 0
        with tqdm(total=len(files), unit="image", disable=not sys.stderr.isatty()) as bar:
            for batch in group(read_ahead(files, kind)):
                try:
                    results = classify_batch(batch)
                except ArtifactError as error:
                    raise CommandError(str(error), returncode=2) from error
                for result in results:
                    self.stdout.write(as_json(result) if json else as_text(result))
                    failed += "error" in result
                self.stdout.flush()
                bar.update(len(batch))
        if failed:
            sys.exit(1)


def find_images(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield each file named, and the image files below each folder named, in name order.

    A folder without images is yielded itself, so that it is reported.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = False
        for folder, names, files in os.walk(path):
            names.sort()
            for name in sorted(files):
                if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                    found = True
                    yield Path(folder, name)
        if not found:
            yield path


def group(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Make batches of at most _BATCH images and _BATCH_PIXELS pixels, in order."""
    batch: list[Item] = []
    pixels = 0
    for item in items:
        size = 0 if item.pixels is None else item.pixels.shape[0] * item.pixels.shape[1]
        if batch and (len(batch) == _BATCH or pixels + size > _BATCH_PIXELS):
            yield batch
            batch, pixels = [], 0
        batch.append(item)
        pixels += size
    if batch:
        yield batch


def read_ahead(files: Iterable[Path], kind: str) -> Iterator[Item]:
    """Decode in threads while the model computes, in order, only a few files ahead."""
    waiting: deque[Future[Item]] = deque()
    with ThreadPoolExecutor(max_workers=2) as pool:
        for path in files:
            waiting.append(pool.submit(read_item, path, kind))
            if len(waiting) > _READ_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def read_item(path: Path, kind: str) -> Item:
    """Read and decode one file; whatever is wrong with it ends up in `error`."""
    started = time.perf_counter()
    item = Item(path)
    try:
        data = _read_bytes(path)
        item.sha256 = hashlib.sha256(data).hexdigest()
        pixels = decode_image(data).pixels
        if (guess_kind(pixels) if kind == "auto" else kind) == "field":
            item.error = FIELD_REFUSED
        else:
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


def classify_batch(batch: Sequence[Item]) -> list[dict[str, Any]]:
    """Classify the readable images of a batch in one call; results in the batch's order."""
    readable = [item for item in batch if item.pixels is not None]
    if not readable:
        return [{"file": str(item.path), "error": item.error} for item in batch]
    classifier = get_classifier()
    started = time.perf_counter()
    images = [item.pixels for item in readable if item.pixels is not None]
    predictions = iter(classifier.classify(images))
    share = (time.perf_counter() - started) / len(readable)
    model = {"name": classifier.name, "version": classifier.version}
    return [
        {"file": str(item.path), "error": item.error}
        if item.pixels is None
        else _result(item, item.pixels, next(predictions), model, share)
        for item in batch
    ]


def _result(
    item: Item,
    pixels: NDArray[np.uint8],
    prediction: Prediction,
    model: dict[str, str],
    share: float,
) -> dict[str, Any]:
    height, width = pixels.shape[:2]
    cell = {
        "box": BoundingBox(0, 0, width, height).as_list(),
        "type": prediction.cell_type,
        "confidence": round(prediction.confidence, 6),
        "probabilities": {
            name: round(value, 6) for name, value in prediction.probabilities.items()
        },
        "referred": prediction.referred,
        "likeliest": prediction.likeliest,
        "oddness": None if prediction.oddness is None else round(prediction.oddness, 4),
    }
    return {
        "file": str(item.path),
        "sha256": item.sha256,
        "kind": "cell",
        "model": model,
        "cells": [cell],
        "seconds": round(item.seconds + share, 4),
    }


def as_json(result: dict[str, Any]) -> str:
    """One line of JSON, pure ASCII, so that any file name survives."""
    return json.dumps(result)


def as_text(result: dict[str, Any]) -> str:
    """One line for people: the class and its confidence, or why there is none."""
    name = os.fsencode(result["file"]).decode("utf-8", "replace")
    if "error" in result:
        return f"{'failed':22} {'':>7}  {name}: {result['error']}"
    (cell,) = result["cells"]
    mark = "  (referred to a human)" if cell["referred"] else ""
    return f"{cell['type']:22} {cell['confidence']:7.2%}  {name}{mark}"
