"""Pictures for demonstration cases: rendered ones, or real ones from a folder of the user's."""

import random
from collections.abc import Iterator
from pathlib import Path

from ml.classes import CELL_CLASSES
from ml.preprocessing import to_png
from ml.synthetic import render_cell

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"}

# Roughly what 100 nucleated cells of an ordinary smear are, in the order of CELL_CLASSES.
WEIGHTS = (55, 28, 6, 5, 2, 2, 1, 3)

Picture = tuple[str, bytes]


def rendered(count: int, *, seed: int) -> Iterator[Picture]:
    """Yield ``count`` synthetic single-cell pictures, plainly marked as such."""
    rng = random.Random(seed)
    for number, cell_class in enumerate(rng.choices(CELL_CLASSES, WEIGHTS, k=count), start=1):
        pixels = render_cell(cell_class, seed=seed * 10_000 + number)
        yield f"synthetic-{number:03d}.png", to_png(pixels)


def from_folder(folder: Path, count: int, *, seed: int) -> Iterator[Picture]:
    """Yield up to ``count`` image files picked at random from anywhere below ``folder``."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    rng = random.Random(seed)
    for path in rng.sample(paths, min(count, len(paths))):
        yield path.name, path.read_bytes()
