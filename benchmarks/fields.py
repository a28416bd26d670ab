"""Time and memory to read 1, 10 and 200 fields: decode, find, name, describe, compare.

python -m benchmarks.fields [--data FOLDER] [--detector FOLDER] [--release FOLDER]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from ml.artifacts import DEFAULT_DETECTOR, DEFAULT_RELEASE
from ml.detection.inference import load_detector
from ml.fields.features import describe
from ml.fields.overlap import find_overlaps
from ml.fields.reading import read_field
from ml.inference import load_classifier
from ml.preprocessing import decode_image, to_png
from ml.synthetic import render_field

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the settings do for workers

_COUNTS: Final = (1, 10, 200)
_LARGE: Final = (4000, 3000)


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds a field, by field; seconds to compare all; peak memory of the process in MB."""

    seconds: tuple[float, ...]
    white_cells: int
    comparing: float
    memory: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Read each number of fields in a process of its own, models warm, and print a line each."""
    options = _parser().parse_args(arguments)
    files = _files(options.data)
    say(f"{len(os.sched_getaffinity(0))} cores; fields of {_size(files[0])}")
    for count in _COUNTS:
        _report(f"{count} fields", _apart(options, list(islice(cycle(files), count))))
    _report(f"1 field of {_LARGE[0]} x {_LARGE[1]}", _apart(options, [_enlarged(files[0])]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fields", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("HEMATOVISION_DATA"))
    parser.add_argument("--detector", type=Path, default=DEFAULT_DETECTOR)
    parser.add_argument("--release", type=Path, default=DEFAULT_RELEASE)
    return parser


def _files(data: Path | None) -> list[bytes]:
    """Fields of BCCD; drawn ones of the same size without image sets."""
    if data is not None:
        return [path.read_bytes() for path in sorted(Path(data, "bccd", "images").glob("*.jpg"))]
    return [to_png(render_field(seed, 640, 480, cells=1, red_cell=100)) for seed in range(20)]


def _size(file: bytes) -> str:
    height, width = decode_image(file).pixels.shape[:2]
    return f"{width} x {height}"


def _enlarged(file: bytes) -> bytes:
    """Four fields by four, beside each other, as a wider camera would show them."""
    part = cv2.resize(decode_image(file).pixels, (_LARGE[0] // 4, _LARGE[1] // 4))
    return to_png(np.tile(np.asarray(part, dtype=np.uint8), (4, 4, 1)))


def _apart(options: argparse.Namespace, files: list[bytes]) -> Figures:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(_read, options.detector, options.release, files).result()


def _read(detector_dir: Path, release_dir: Path, files: list[bytes]) -> Figures:
    detector, classifier = load_detector(detector_dir), load_classifier(release_dir)
    read_field(detector, classifier, decode_image(files[0]).pixels)  # warm
    seconds, features, white = [], [], 0
    for file in files:
        start = time.perf_counter()
        pixels = decode_image(file).pixels
        found = read_field(detector, classifier, pixels)
        features.append(describe(pixels))
        seconds.append(time.perf_counter() - start)
        white += sum(cell.prediction is not None for cell in found.cells)
    start = time.perf_counter()
    find_overlaps(features)
    comparing = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figures(tuple(seconds), white, comparing, memory)


def _report(name: str, figures: Figures) -> None:
    mean, worst = np.mean(figures.seconds), np.percentile(figures.seconds, 95)
    say(
        f"{name}: {mean:.3f} s a field, 95 % within {worst:.3f} s; {figures.white_cells} white "
        f"cells; compared in {figures.comparing:.2f} s; at most {figures.memory:.0f} MB"
    )


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
