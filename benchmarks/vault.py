"""What sealing costs: writing and reading files sealed and plain, by turns in one run.

python -m benchmarks.vault [--runs 9] [--folder FOLDER]

Both ways end with the file on the disk (fsync), and both read it whole, from the system's cache.
The row in the database that a stored file has besides is not in it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from vault.keys import Key, Keyring
from vault.reading import SealedReader
from vault.sealing import HEADER_BYTES, read_header, seal
from vault.stores.disk import DiskStore

SIZES: Final = {"0.01 MB (a thumbnail)": 10_000, "0.1 MB": 100_000, "4 MB": 4_000_000,
                "40 MB": 40_000_000}  # fmt: skip
_BLOCK: Final = 1024 * 1024


def main(arguments: Sequence[str]) -> int:
    """Print the medians, and how many times longer the sealed way takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; else the temporary")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        bench = Bench(Path(folder))
        say(f"{'':24}{'plain ms':>10}{'sealed ms':>11}{'ratio':>8}")
        for label, size in SIZES.items():
            for what, pair in bench.measure(size, options.runs).items():
                plain, sealed = pair
                say(f"{what} {label:18}{plain:10.2f}{sealed:11.2f}{sealed / plain:8.2f}")
    return 0


class Bench:
    """Files of random bytes in one folder."""

    def __init__(self, folder: Path) -> None:
        self.store = DiskStore(folder, durable=True)
        self.keys = Keyring((Key.make(),))
        self._count = 0

    def measure(self, size: int, runs: int) -> dict[str, tuple[float, float]]:
        """Return the medians of plain and sealed writing and reading, in milliseconds."""
        data = os.urandom(size)
        times: dict[str, list[float]] = {}
        for _ in range(runs):
            names = self._name(), self._name()
            for way, name, write, read in (
                ("plain", names[0], self._write_plain, self._read_plain),
                ("sealed", names[1], self._write_sealed, self._read_sealed),
            ):
                times.setdefault(f"write {way}", []).append(clock(partial(write, name, data)))
                times.setdefault(f"read {way}", []).append(clock(partial(read, name, size)))
                self.store.delete(name)
        return {
            what: (median(times[f"{what} plain"]), median(times[f"{what} sealed"]))
            for what in ("write", "read")
        }

    def _name(self) -> str:
        self._count += 1
        return f"files/{self._count}"

    def _write_plain(self, name: str, data: bytes) -> None:
        self.store.put(name, lambda target: target.write(data))

    def _write_sealed(self, name: str, data: bytes) -> None:
        blocks = (data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK))
        key = self.keys.current
        self.store.put(
            name,
            lambda target: seal(blocks, target, name=name, key=key),
        )

    def _read_plain(self, name: str, size: int) -> None:
        source = self.store.open(name)
        if len(source.read_at(0, size)) != size:
            raise RuntimeError("A file was not read whole.")
        source.close()

    def _read_sealed(self, name: str, size: int) -> None:
        source = self.store.open(name)
        header = read_header(source.read_at(0, HEADER_BYTES))
        with SealedReader(source, header, name=name, keys=self.keys) as reader:
            if len(reader.readall()) != size:
                raise RuntimeError("A file was not read whole.")


def clock(action: Callable[[], None]) -> float:
    """Return how long an action takes, in milliseconds."""
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
