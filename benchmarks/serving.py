"""Time the released classifier: `python -m benchmarks.serving [RELEASE]`."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ml.artifacts import DEFAULT_RELEASE
from ml.classes import CELL_CLASSES
from ml.inference import BATCH_SIZES, load_classifier
from ml.preprocessing import decode_image, to_png
from ml.synthetic import render_cell


def main(arguments: Sequence[str] | None = None) -> int:
    """Print medians of load, decode and classification at each batch size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("release", type=Path, nargs="?", default=DEFAULT_RELEASE)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    classifier = load_classifier(options.release)
    report("load", time.perf_counter() - started, 1)
    files = [to_png(render_cell(CELL_CLASSES[i % 8], i)) for i in range(BATCH_SIZES[-1])]
    report("decode 360 px PNG", median(partial(decode_image, files[0]), options.repeats), 1)
    images = [decode_image(data).pixels for data in files]
    for size in BATCH_SIZES:
        batch = images[:size]
        classifier.classify(batch)
        seconds = median(partial(classifier.classify, batch), options.repeats)
        report(f"classify, batch {size}", seconds, size)
    return 0


def median(action: Callable[[], object], repeats: int) -> float:
    """Median seconds of an action."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def report(what: str, seconds: float, images: int) -> None:
    """Print one line of the table."""
    rate = images / seconds
    sys.stdout.write(f"{what:22} {seconds * 1000:9.1f} ms {rate:9.1f} images/s\n")


if __name__ == "__main__":
    sys.exit(main())
