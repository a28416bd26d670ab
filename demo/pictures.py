"""Pictures for demonstration cases: rendered ones, or real ones from a folder of the user's."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ml.classes import CELL_CLASSES
from ml.preprocessing import to_png
from ml.synthetic import render_cell, render_field

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"}

# Roughly what 100 nucleated cells of an ordinary smear are, in the order of CELL_CLASSES.
WEIGHTS = (55, 28, 6, 5, 2, 2, 1, 3)

FIELD = (640, 480)
"""Width and height in pixels."""

Picture = tuple[str, bytes]


def rendered(count: int, *, seed: int) -> Iterator[Picture]:
    """Yield ``count`` synthetic single-cell pictures, plainly marked as such."""
    shares = np.array(WEIGHTS) / sum(WEIGHTS)
    chosen = np.random.default_rng(seed).choice(CELL_CLASSES, size=count, p=shares)
    for number, cell_class in enumerate(chosen.tolist(), start=1):
        pixels = render_cell(cell_class, seed=seed * 10_000 + number)
        yield f"synthetic-{number:03d}.png", to_png(pixels)


def rendered_cells(cells: Mapping[str, int], *, seed: int) -> Iterator[Picture]:
    """Yield as many synthetic single-cell pictures of each class as asked for, class by class."""
    classes = [name for name, count in cells.items() for _ in range(count)]
    for number, cell_class in enumerate(classes, start=1):
        pixels = render_cell(cell_class, seed=seed * 10_000 + number)
        yield f"synthetic-{number:03d}.png", to_png(pixels)


def rendered_fields(count: int, *, seed: int) -> Iterator[Picture]:
    """Yield ``count`` synthetic whole fields; the last two overlap by half."""
    width, height = FIELD
    for number in range(1, count - 1):
        pixels = render_field(seed * 10_000 + number, *FIELD, cells=2 + number % 2, red_cell=100)
        yield f"synthetic-field-{number:03d}.png", to_png(pixels)
    wide = render_field(seed * 10_000, width * 3 // 2, height, cells=4, red_cell=100)
    for number, left in ((count - 1, 0), (count, width // 2)):
        part = np.ascontiguousarray(wide[:, left : left + width])
        yield f"synthetic-field-{number:03d}.png", to_png(part)


def rendered_references(each: int = 2) -> Iterator[Picture]:
    """Yield ``each`` synthetic cells of every class, with the class for a name."""
    for place, cell_class in enumerate(CELL_CLASSES):
        for number in range(each):
            yield cell_class, to_png(render_cell(cell_class, seed=900_000 + 100 * place + number))


def from_folder(folder: Path, count: int, *, seed: int) -> Iterator[Picture]:
    """Yield up to ``count`` image files picked at random from anywhere below ``folder``."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    order = np.random.default_rng(seed).permutation(len(paths))
    for index in order[:count]:
        yield paths[index].name, paths[index].read_bytes()
