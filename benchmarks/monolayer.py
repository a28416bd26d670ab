"""How laboratories' own fields look to the measure of the monolayer, sharp and blurred.

python -m benchmarks.monolayer [--data FOLDER]
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.commands.inputs import add_data_options
from ml.detection.fields import AnnotatedField, densest, read_fields
from ml.nucleus import empty_colour
from ml.slides.monolayer import SCALE, SHARP, look_at, merits_of

RED_CELL: Final = 7.5
BLURS: Final = (0.4, 0.75)
"""Diameter of a red cell, and sigmas of Gaussians, in micrometres."""

_PERCENTILES: Final = (1, 5, 50, 95, 99)


def laboratory_fields(data_dir: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Fields of BCCD and BCDD as uint8[H, W, 3] at `SCALE`, with the set's name."""
    for each in densest(read_fields(data_dir)):
        name = each.source.removeprefix("txl-")
        if name != "pbc":  # frames of one cell
            yield name, _at_scale(each)


def _at_scale(each: AnnotatedField) -> NDArray[np.uint8]:
    with Image.open(each.record.path) as image:
        pixels = np.asarray(image.convert("RGB"))
    factor = RED_CELL / SCALE / each.red_cell(pixels.shape[1], pixels.shape[0])
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def examine(pixels: NDArray[np.uint8]) -> list[float]:
    """Coverage, overlap, unevenness, blur, whether accepted; then whether when blurred."""
    empty = float(empty_colour(pixels)[1])
    look = look_at(pixels, empty, SCALE)
    row = [look.coverage, look.overlap, look.unevenness, look.blur]
    row.append(merits_of(look, sharp=SHARP).goodness > 0)
    for sigma in BLURS:
        blurred = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma / SCALE), dtype=np.uint8)
        row.append(merits_of(look_at(blurred, empty, SCALE), sharp=SHARP).goodness > 0)
    return row


def main() -> None:
    """Print percentiles and shares for each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_options(parser)
    rows = defaultdict(list)
    for name, pixels in laboratory_fields(parser.parse_args().data):
        rows[name].append(examine(pixels))
    for name, values in rows.items():
        table = np.array(values, dtype=np.float64)
        _say(f"{name}: {len(table)} fields; percentiles {_PERCENTILES}")
        measured = np.percentile(table[:, :4], _PERCENTILES, axis=0).T
        for title, line in zip(("coverage", "overlap", "uneven", "blur"), measured, strict=True):
            _say(f"  {title:9} " + " ".join(f"{value:5.2f}" for value in line))
        sharp, *blurred = table[:, 4:].mean(axis=0)
        told = ", ".join(
            f"blurred by {sigma} um {share:.1%}"
            for sigma, share in zip(BLURS, blurred, strict=True)
        )
        _say(f"  accepted {sharp:.1%}; {told}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
