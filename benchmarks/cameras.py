"""How the detector fares on what other cameras, lenses and stains make of the same fields.

python -m benchmarks.cameras [--data FOLDER] [--detector FOLDER] [--fields N] [--red-cell PIXELS]

With --red-cell the scale isn't measured but taken for granted, as of one camera.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.artifacts import DEFAULT_DETECTOR
from ml.detection.artifact import verify_detector
from ml.detection.candidates import Candidates
from ml.detection.dealing import deal_fields
from ml.detection.fields import AnnotatedField, densest
from ml.detection.inference import FieldDetector, load_detector
from ml.detection.matching import FLOOR, average_precision, match
from ml.detection.objects import ERYTHROCYTE, KINDS, LEUKOCYTE, FieldScale
from ml.preprocessing import decode_image

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels], Pixels]


def main(arguments: Sequence[str] | None = None) -> None:
    """Change whole, completely boxed fields of the validation fold and print a line a change."""
    options = _parser().parse_args(arguments)
    spec = verify_detector(options.detector)
    detector: FieldDetector = load_detector(options.detector)
    if options.red_cell:
        detector = _OneCamera(detector, options.red_cell)
    folds = deal_fields(options.data, seed=spec.training["seed"])
    fields = [each for each in densest(folds["validation"]) if each.is_complete]
    fields = fields[:: max(1, len(fields) // options.fields)]
    say(f"{len(fields)} fields of the validation fold; AP at an overlap of one half")
    limits = np.array([spec.thresholds[kind] for kind in KINDS])
    for name, (change, scale) in _changes().items():
        _report(name, *_read(detector, fields, change, scale), limits)


class _OneCamera(FieldDetector):
    """A detector that does not measure the scale of a field."""

    def __init__(self, detector: FieldDetector, red_cell: float) -> None:
        self.__dict__ = detector.__dict__
        self._red_cell = red_cell

    def estimate(self, pixels: Pixels) -> FieldScale:
        return FieldScale(self._red_cell, 0, "picture")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cameras", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("HEMATOVISION_DATA"))
    parser.add_argument("--detector", type=Path, default=DEFAULT_DETECTOR)
    parser.add_argument("--fields", type=int, default=95)
    parser.add_argument("--red-cell", type=float, help="diameter in pixels, taken for granted")
    return parser


def _changes() -> Mapping[str, tuple[Change, float]]:
    """Each change of the pixels, and by how much it enlarges them."""
    sizes = {
        f"{scale:g} x the pixels": (_resize(scale), scale) for scale in (0.25, 0.4, 0.5, 2, 4, 6)
    }
    return {
        "as it is": (lambda pixels: pixels, 1.0),
        **sizes,
        "blurred, 0.04 red cells": (_blur(0.04), 1.0),
        "blurred, 0.08 red cells": (_blur(0.08), 1.0),
        "yellow light": (_gains(1.1, 1.0, 0.75), 1.0),
        "blue light": (_gains(0.8, 0.95, 1.1), 1.0),
        "dark (gamma 1.8)": (_gamma(1.8), 1.0),
        "pale (gamma 0.5)": (_gamma(0.5), 1.0),
        "JPEG of quality 20": (_jpeg(20), 1.0),
        "turned upside down": (lambda pixels: np.ascontiguousarray(pixels[::-1, ::-1]), -1.0),
    }


_RED_CELL: Final = 0.16
"""Diameter of a red cell over the longer side of BCCD's and PBC's pictures, roughly."""


def _resize(scale: float) -> Change:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return lambda pixels: _as_pixels(
        cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how)
    )


def _blur(sigma: float) -> Change:
    """Of so many red cells."""
    return lambda pixels: _as_pixels(
        cv2.GaussianBlur(pixels, (0, 0), sigma * _RED_CELL * max(pixels.shape[:2]))
    )


def _gains(*gains: float) -> Change:
    return lambda pixels: _as_pixels((pixels * np.array(gains)).clip(0, 255))


def _gamma(power: float) -> Change:
    return lambda pixels: _as_pixels(255 * (pixels / 255) ** power)


def _jpeg(quality: int) -> Change:
    def compress(pixels: Pixels) -> Pixels:
        data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return _as_pixels(cv2.imdecode(data, cv2.IMREAD_COLOR))

    return compress


def _as_pixels(values: object) -> Pixels:
    return np.asarray(values).astype(np.uint8)


def _read(
    detector: FieldDetector, fields: Sequence[AnnotatedField], change: Change, scale: float
) -> tuple[list[Candidates], list[Candidates], list[float]]:
    """True boxes and found ones of the changed fields, and by how much the scale is off."""
    truth, found, off = [], [], []
    for field in fields:
        original = decode_image(field.record.path.read_bytes()).pixels
        height, width = original.shape[:2]
        boxes = _moved(field.boxes, width, height) if scale < 0 else field.boxes * scale
        truth.append(Candidates(boxes, field.kinds, np.ones(len(field.kinds), np.float32)))
        told, seen = detector.find(change(original), floor=FLOOR)
        found.append(seen)
        off.append(abs(told.red_cell / abs(scale) / field.red_cell(width, height) - 1))
    return truth, found, off


def _moved(boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    corner = np.array([width, height, width, height], dtype=np.float32)
    return np.asarray((corner - boxes)[:, [2, 3, 0, 1]], dtype=np.float32)


def _report(
    name: str,
    truth: list[Candidates],
    found: list[Candidates],
    off: list[float],
    limits: NDArray[np.float64],
) -> None:
    matches = match(truth, found)
    precision = [float(average_precision(each, levels=1)[0]) for each in matches]
    white, red = matches[LEUKOCYTE], matches[ERYTHROCYTE]
    reported = white.scores >= limits[LEUKOCYTE]
    recall = (white.is_true[0] & reported).sum() / white.positives.sum()
    false = (~white.is_true[0] & reported).sum() / len(truth)
    counts = np.bincount(red.fields[red.scores >= limits[ERYTHROCYTE]], minlength=len(truth))
    some = red.positives > 0
    error = np.median(np.abs(counts[some] - red.positives[some]) / red.positives[some])
    say(
        f"{name:26} AP50 {' '.join(f'{value:.3f}' for value in precision)}  white cells: "
        f"recall {recall:.3f}, {false:.2f} false a field  red cells: count off by {error:.3f}, "
        f"scale by {np.median(off):.3f} (9 in 10 within {np.percentile(off, 90):.3f})"
    )


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
