"""Draw fields with what was found in them, beside what was annotated: the worst ones first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.detection.candidates import Candidates, overlaps
from ml.detection.evaluation import ExaminedField
from ml.detection.objects import KINDS
from ml.preprocessing import decode_image, to_png

_RIGHT: Final = (30, 140, 60)
_FALSE: Final = (230, 120, 0)
_MISSED: Final = (210, 20, 40)
_LETTERS: Final = ("R", "W", "P")
_LEAST_OVERLAP: Final = 0.5
_LEAST_SIDE: Final = 960
"""Smaller fields are enlarged to it, so that letters can be read."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Indices of what was found rightly and falsely, and of true boxes that were missed."""

    found: Candidates
    right: tuple[int, ...]
    false: tuple[int, ...]
    missed: tuple[int, ...]


def write_worst(
    examined: Sequence[ExaminedField],
    thresholds: Mapping[str, float],
    folder: Path,
    *,
    count: int,
) -> None:
    """Write PNGs of the fields with the most false and missed boxes, the worst first.

    Green: found. Orange: found, but not annotated. Red: annotated, but not found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    judged = [(judge(each, thresholds), each) for each in examined]
    judged.sort(key=lambda pair: -len(pair[0].false) - len(pair[0].missed))
    for place, (verdict, each) in enumerate(judged[:count], start=1):
        name = Path(each.annotated.record.key.replace("/", "-")).stem
        picture = draw(each, verdict)
        (folder / f"{place:02d}-{name}.png").write_bytes(to_png(picture))


def judge(examined: ExaminedField, thresholds: Mapping[str, float]) -> Verdict:
    """Give each reported box, the surest first, the true box of its kind that it overlaps most."""
    limits = np.array([thresholds[kind] for kind in KINDS])
    found = examined.found.only(examined.found.scores >= limits[examined.found.kinds])
    truth, taken = examined.truth, set[int]()
    right, false = [], []
    for index in np.argsort(-found.scores, kind="stable").tolist():
        shared = overlaps(found.boxes[index], truth.boxes)
        shared[truth.kinds != found.kinds[index]] = 0.0
        shared[list(taken)] = 0.0
        best = int(np.argmax(shared)) if len(shared) else -1
        if best >= 0 and shared[best] >= _LEAST_OVERLAP:
            taken.add(best)
            right.append(index)
        else:
            false.append(index)
    missed = tuple(index for index in range(len(truth)) if index not in taken)
    return Verdict(found, tuple(right), tuple(false), missed)


def draw(examined: ExaminedField, verdict: Verdict) -> NDArray[np.uint8]:
    """The field uint8[H, W, 3] RGB with its boxes, at least 960 pixels on its longer side."""
    pixels = decode_image(examined.annotated.record.path.read_bytes()).pixels
    scale = max(1.0, _LEAST_SIDE / max(pixels.shape[:2]))
    enlarged = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    picture = np.asarray(enlarged, dtype=np.uint8)
    for boxes, indices, colour in (
        (verdict.found, verdict.right, _RIGHT),
        (examined.truth, verdict.missed, _MISSED),
        (verdict.found, verdict.false, _FALSE),
    ):
        for index in indices:
            _draw_box(picture, boxes, index, scale, colour)
    return picture


def _draw_box(
    picture: NDArray[np.uint8],
    boxes: Candidates,
    index: int,
    scale: float,
    colour: tuple[int, int, int],
) -> None:
    x0, y0, x1, y1 = (round(float(value) * scale) for value in boxes.boxes[index])
    label = f"{_LETTERS[boxes.kinds[index]]} {boxes.scores[index]:.2f}"
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 2)
    cv2.putText(picture, label, (x0 + 3, y0 + 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1)
