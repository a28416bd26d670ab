"""Memory and time of a slide of 40,960 x 30,720 pixels: open it, look round it, read fields of it.

python -m benchmarks.slides [--folder FOLDER]

The drawn slide, 0.5 GB, is kept in FOLDER. Each part runs in a process of its own, and tells the
most memory that it held beyond what the libraries take.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.drawn_slides import Plan, write_tiff
from ml.slides.deepzoom import tile
from ml.slides.opening import open_slide
from ml.slides.proposing import propose_regions
from ml.slides.regions import read_region
from ml.slides.slide import Slide
from ml.types import BoundingBox

TILES: Final = 50
REGIONS: Final = 20

_PLAN: Final[Plan] = [
    "........................................",
    *["...tttmmmmmmTTTTTTTT...................."] * 28,
    "........................................",
]
_FIELD: Final = (1300, 1000)
_TOP: Final = 16
"""Deep Zoom's level of all pixels, and how many below it tiles are taken from."""
_BELOW: Final = 8
_SMEAR: Final = (3 * 1024, 1024, 19 * 1024, 28 * 1024)
"""Left, top, right and bottom of what is stained."""


def read_tiles(slide: Slide) -> None:
    """Read tiles of the smear at random places and magnifications, as a viewer would."""
    rng = np.random.default_rng(0)
    left, top, right, bottom = _SMEAR
    for number in range(TILES):
        level = _TOP - number % (_BELOW + 1)
        side = 254 * 2 ** (_TOP - level)
        tile(slide, level, rng.integers(left, right) // side, rng.integers(top, bottom) // side)


def read_fields(slide: Slide) -> None:
    """Read fields of the smear at random places, with all pixels."""
    rng = np.random.default_rng(1)
    left, top, right, bottom = _SMEAR
    for _ in range(REGIONS):
        x = int(rng.integers(left, right - _FIELD[0]))
        y = int(rng.integers(top, bottom - _FIELD[1]))
        read_region(slide, BoundingBox(x, y, x + _FIELD[0], y + _FIELD[1]))


def read_both(slide: Slide) -> None:
    """Read tiles, then fields."""
    read_tiles(slide)
    read_fields(slide)


def propose(slide: Slide) -> None:
    """Propose as many regions as were read before."""
    regions = propose_regions(slide, REGIONS)
    _say(f"  proposed {len(regions)}, the worst of goodness {regions[-1].goodness:.2f}")


def read_largest(slide: Slide) -> None:
    """Read the largest region that is allowed."""
    read_region(slide, BoundingBox(_SMEAR[0], _SMEAR[1], _SMEAR[0] + 8000, _SMEAR[1] + 8000))


def measure(name: str, path: Path, action: Callable[[Slide], None]) -> None:
    """Open the slide and do something with it; print how long and how much memory it took."""
    before = _memory("VmRSS")
    start = time.perf_counter()
    with open_slide(path) as slide:
        opened = time.perf_counter()
        action(slide)
    end = time.perf_counter()
    told = f"opened in {opened - start:.2f} s, then {end - opened:.2f} s"
    most = _memory("VmHWM")
    _say(f"{name}: {told}; {most:.0f} MB, {most - before:.0f} of them beyond the libraries")


def main() -> None:
    """Draw the slide where it is not there yet, and measure each part by itself."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    path = parser.parse_args().folder / "drawn-slide-40960.tif"
    if not path.exists():
        write_tiff(path, _PLAN)
    with open_slide(path) as slide:
        size = f"{slide.width} x {slide.height} pixels"
    _say(f"{size}, {path.stat().st_size / 1e6:.0f} MB stored")
    parts: list[tuple[str, Callable[[Slide], None]]] = [
        (f"{TILES} tiles", read_tiles),
        (f"{REGIONS} fields of {_FIELD[0]} x {_FIELD[1]}", read_fields),
        ("both", read_both),
        (f"{REGIONS} regions proposed", propose),
        ("a region of 64 megapixels", read_largest),
    ]
    context = multiprocessing.get_context("spawn")
    for name, action in parts:
        process = context.Process(target=measure, args=(name, path, action))
        process.start()
        process.join()


def _memory(kind: str) -> float:
    """What this process holds now (VmRSS) or has held at most (VmHWM), in MB; Linux alone tells."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) / 1000
    raise LookupError(kind)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
