"""How often the guess "cell or field" is right on real images: `python -m benchmarks.kinds`."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.datasets import read_pbc
from ml.kinds import guess_kind
from ml.metrics import Share
from ml.preprocessing import decode_image
from ml.strangers import cut_all, read_bccd_cells

Pixels = NDArray[np.uint8]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, for each set of images, the share that was guessed right, with its interval."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kinds", description=__doc__)
    data = os.environ.get("HEMATOVISION_DATA")
    parser.add_argument("--data", type=Path, default=data, required=data is None)
    parser.add_argument("--every", type=int, default=10, help="take every n-th PBC image")
    options = parser.parse_args(arguments)
    root = Path(options.data)
    cells = read_pbc(root)[:: options.every]
    report("PBC cells", "cell", (read(record.path) for record in cells))
    strangers = read_bccd_cells(root)
    for margin in (1.1, 1.7, 2.2):
        cuts = cut_all(strangers, margin=margin)
        report(f"BCCD cells, margin {margin}", "cell", cuts)
    report("BCCD fields", "field", list(fields(root)))
    report("BCCD fields, 2 x 2", "field", tiled(list(fields(root)), 2))
    report("BCCD fields, 3 x 3", "field", tiled(list(fields(root)), 3))
    report("BCDD fields, 256 px", "field", small_fields(root))
    return 0


def read(path: Path) -> Pixels:
    """Decode as serving does."""
    return decode_image(path.read_bytes()).pixels


def fields(root: Path) -> Iterator[Pixels]:
    """The 640 x 480 fields of BCCD."""
    for path in sorted((root / "bccd" / "images").iterdir()):
        yield read(path)


def tiled(pictures: list[Pixels], across: int) -> Iterator[Pixels]:
    """Larger fields, made of `across` times `across` of the small ones."""
    number = across * across
    for start in range(0, len(pictures) - number + 1, number):
        rows = [
            np.hstack(pictures[start + row * across : start + (row + 1) * across])
            for row in range(across)
        ]
        yield np.vstack(rows)


def small_fields(root: Path) -> Iterator[Pixels]:
    """The 256 x 256 fields of BCDD in TXL-PBC: cell-sized pictures, the hardest case."""
    with (root / "txl" / "index.csv").open(newline="", encoding="utf-8") as lines:
        names = [row["file"] for row in csv.DictReader(lines) if row["source"] == "BCDD"]
    for name in names:
        yield read(root / "txl" / "images" / name)


def report(name: str, expected: str, pictures: Iterable[Pixels]) -> None:
    """Print the share of pictures guessed as expected."""
    guesses = [guess_kind(pixels) == expected for pixels in pictures]
    share = Share(sum(guesses), len(guesses))
    low, high = share.interval
    sys.stdout.write(f"{name:24} {share.value:7.2%} of {share.total} ({low:.1%} to {high:.1%})\n")


if __name__ == "__main__":
    sys.exit(main())
