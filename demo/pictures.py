"""Pictures for demonstration cases: rendered ones, or real ones from a folder of the user's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ml.classes import CELL_CLASSES
from ml.preprocessing import to_png
from ml.synthetic import render_cell

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"}

# Roughly what 100 nucleated cells of an ordinary smear are, in the order of CELL_CLASSES.
WEIGHTS = (55, 28, 6, 5, 2, 2, 1, 3)

Picture = tuple[str, bytes]


def rendered(count: int, *, seed: int) -> Iterator[Picture]:
    """Yield ``count`` synthetic single-cell pictures, plainly marked as such."""
    shares = np.array(WEIGHTS) / sum(WEIGHTS)
    chosen = np.random.default_rng(seed).choice(CELL_CLASSES, size=count, p=shares)
    for number, cell_class in enumerate(chosen.tolist(), start=1):
        pixels = render_cell(cell_class, seed=seed * 10_000 + number)
        yield f"synthetic-{number:03d}.png", to_png(pixels)


def from_folder(folder: Path, count: int, *, seed: int) -> Iterator[Picture]:
    """Yield up to ``count`` image files picked at random from anywhere below ``folder``."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    order = np.random.default_rng(seed).permutation(len(paths))
    for index in order[:count]:
        yield paths[index].name, paths[index].read_bytes()
