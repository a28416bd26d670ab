"""Images a second, decode to result, of the product and of a plain app on the same files.

python -m benchmarks.throughput [--data FOLDER] [--release FOLDER] [--workers 1 2 4]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.apps import Figures, measure_plain, measure_product, measure_worker
from ml.artifacts import DEFAULT_RELEASE
from ml.classes import CELL_CLASSES
from ml.datasets import read_pbc, split_by_group
from ml.preprocessing import to_png
from ml.synthetic import render_cell

_SPLIT_SEED = 20260101  # that of training, so that none of these cells was learned


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each way in a fresh process, one after the other, and print the table."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        files = _files(options.data, options.images, Path(folder))
        _say(f"{len(files)} files, {files[0].suffix}; {len(os.sched_getaffinity(0))} cores")
        plain = _apart(measure_plain, options.release, files, options.plain)
        product = _apart(measure_product, options.release, files, options.plain)
        _report("plain app (predict)", plain)
        _report("product", product)
        cpu = plain.cpu_seconds / plain.images / (product.cpu_seconds / product.images)
        _say(f"ratio {_rate(product) / _rate(plain):.1f} x, by computing time {cpu:.1f} x")
        _compare(plain, product)
        _say(f"cold start of manage.py classify {_cold_start(options.release, files[0]):.2f} s")
        for count in options.workers:
            rate = _many(count, options.release, files)
            _say(f"{count} workers of one core each {rate:7.1f} images/s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--release", type=Path, default=DEFAULT_RELEASE)
    parser.add_argument("--data", type=Path, default=os.environ.get("HEMATOVISION_DATA"))
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--plain", type=int, default=100, help="files that go one at a time")
    parser.add_argument("--workers", type=int, nargs="*", default=[])
    return parser


def _files(data: Path | None, count: int, folder: Path) -> list[Path]:
    """Files of PBC's validation fold, every class in turn; drawn cells without image sets."""
    if data is not None:
        fold = split_by_group(read_pbc(data), seed=_SPLIT_SEED)["validation"]
        order = np.random.default_rng(0).permutation(len(fold))
        return [fold[index].path for index in order[:count]]
    files = [folder / f"{index:05}.png" for index in range(count)]
    for index, path in enumerate(files):
        path.write_bytes(to_png(render_cell(CELL_CLASSES[index % 8], index)))
    return files


def _apart(way: object, *arguments: object) -> Figures:
    """Run a way in a process of its own, which starts afresh."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        found: Figures = pool.submit(way, *arguments).result()  # type: ignore[arg-type]
    return found


def _many(count: int, release: Path, files: Sequence[Path]) -> float:
    """Images a second of so many processes, that start together and share out the files.

    Each is held to one core, as one process alone uses them all.
    """
    cores = sorted(os.sched_getaffinity(0))
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(count, mp_context=spawn) as pool:
        start = manager.Barrier(count)
        jobs = [
            pool.submit(
                measure_worker, release, files[index::count], cores[index % len(cores)], start
            )
            for index in range(count)
        ]
        slowest = max(job.result() for job in jobs)
    return len(files) / slowest


def _cold_start(release: Path, file: Path) -> float:
    """Seconds that the command line takes for one picture, from nothing to its answer."""
    root = Path(__file__).resolve().parents[1]
    environment = os.environ | {"MODEL_RELEASE": str(release.resolve())}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "manage.py", "classify", str(file.resolve()), "--kind", "cell", "--json"],
        cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - began


def _rate(figures: Figures) -> float:
    return figures.images / figures.seconds


def _report(name: str, figures: Figures) -> None:
    half, most = (1000 * float(np.quantile(figures.single, share)) for share in (0.5, 0.95))
    computing = 1000 * figures.cpu_seconds / figures.images
    _say(f"{name:20} {_rate(figures):7.1f} images/s, {computing:5.1f} ms of one core each")
    _say(f"    one image p50 {half:.1f} ms, p95 {most:.1f} ms; peak {figures.peak_mb:.0f} MB")


def _compare(plain: Figures, product: Figures) -> None:
    same = np.array(plain.decisions) == np.array(product.decisions)
    apart = np.abs(np.array(plain.probabilities) - np.array(product.probabilities)).max()
    _say(
        f"same class {same.sum()} of {len(same)} ({same.mean():.2%}), "
        f"largest difference of a probability {apart:.1e}"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
