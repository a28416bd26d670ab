"""How accuracy falls as cells get smaller: PBC validation at several sizes, in one run.

python -m benchmarks.resolution [--data FOLDER] [--release FOLDER] [--every N]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.artifacts import DEFAULT_RELEASE
from ml.commands.inputs import add_data_options
from ml.data.pixels import load_pixels
from ml.data.records import labels_of
from ml.evaluation import predict_probabilities
from ml.inference import CellClassifier, load_classifier
from ml.metrics import Share
from ml.preprocessing import CANVAS
from ml.sources import PBC, of_classes, read_source

SIDES: Final = (115, 96, 64, 48, 32)
"""Diameters of the cell in pixels; in PBC as it comes, on the canvas, it is about 115."""

CELL_SHARE: Final = 0.45
"""Diameter of a cell over the side of its picture in PBC."""


def main() -> None:
    """Print accuracy and the share named at each size, with exact 95 % intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_options(parser)
    parser.add_argument("--release", type=Path, default=DEFAULT_RELEASE)
    parser.add_argument("--every", type=int, default=1, help="take every Nth cell")
    options = parser.parse_args()
    classifier = load_classifier(options.release)
    dealt = read_source(PBC, options.data, seed=20260101)["validation"]
    records = of_classes(dealt, classifier.class_names)[:: options.every]
    pixels = load_pixels(records, CANVAS)
    truth = labels_of(records, classifier.class_names)
    for side in SIDES:
        sys.stdout.write(_line(classifier, side, _shrink(pixels, side), truth) + "\n")


def _shrink(pixels: NDArray[np.uint8], side: int) -> list[NDArray[np.uint8]]:
    """Pictures in which a cell is about `side` pixels across."""
    target = round(side / CELL_SHARE)
    if target >= CANVAS:
        return list(pixels)
    return [
        np.asarray(cv2.resize(each, (target, target), interpolation=cv2.INTER_AREA), np.uint8)
        for each in pixels
    ]


def _line(
    classifier: CellClassifier,
    side: int,
    images: Sequence[NDArray[np.uint8]],
    truth: NDArray[np.int64],
) -> str:
    found, is_accepted = predict_probabilities(classifier, images)
    right = Share(int((found.argmax(axis=1) == truth).sum()), len(truth))
    low, high = right.interval
    named = is_accepted.mean()
    return f"{side:4d} px  {right.value:.4f} ({low:.4f} to {high:.4f})  named {named:.4f}"


if __name__ == "__main__":
    main()
