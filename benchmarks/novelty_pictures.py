"""Pictures that a classifier of blood cells must refuse, cut, spoilt or drawn by program."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.cutting import cut_cell
from ml.nucleus import find_nucleus
from ml.preprocessing import decode_image
from ml.types import BoundingBox

Pixels = NDArray[np.uint8]
Boxes = dict[str, list[BoundingBox]]
"""Boxes of one field by class: RBC, WBC and Platelets."""

SIDE: Final = 256
_CELL: Final = 0.45
"""Diameter of a cell over the side of its frame in PBC."""

_WORDS: Final = ("Patient", "Ward 7", "Haematology", "12.4 x10^9/L", "May-Gruenwald", "Slide 3")


def cut_red_cells(fields: Sequence[Pixels], boxes: Sequence[Boxes], most: int) -> list[Pixels]:
    """Squares round a red cell, 2.2 times its size, that touch no white cell and no platelet."""
    cuts: list[Pixels] = []
    for field, found in zip(fields, boxes, strict=True):
        clear = [
            cut_cell(field, box, margin=2.2)
            for box in found["RBC"]
            if min(box.width, box.height) >= 20 and _is_clear(box, found, margin=2.2)
        ]
        cuts += clear[: 1 + most // len(fields)]
    return cuts[:most]


def cut_background(
    fields: Sequence[Pixels], boxes: Sequence[Boxes], most: int, rng: np.random.Generator
) -> list[Pixels]:
    """Squares of a third of the field, with red cells at most; of eight drawn, the emptiest."""
    cuts = []
    for index in rng.permutation(len(fields)):
        field, found = fields[index], boxes[index]
        height, width = field.shape[:2]
        side = min(height, width) // 3
        corners = rng.integers([0, 0], [width - side, height - side], size=(8, 2))
        spots = [BoundingBox(int(x), int(y), int(x) + side, int(y) + side) for x, y in corners]
        clear = [cut_cell(field, s, margin=1.0) for s in spots if _is_clear(s, found, margin=1.0)]
        if clear:
            cuts.append(max(clear, key=lambda pixels: float(pixels.mean())))
    return cuts[:most]


def read_fields(root: Path, names: Collection[str]) -> tuple[list[Pixels], list[Boxes]]:
    """The fields `root`/images/NAME with the boxes that `root`/boxes.csv gives for each."""
    found: dict[str, Boxes] = defaultdict(lambda: defaultdict(list))
    with (root / "boxes.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            corners = [max(0, int(float(row[name]))) for name in ("xmin", "ymin", "xmax", "ymax")]
            if corners[0] < corners[2] and corners[1] < corners[3]:
                found[row["file"]][row["class"]].append(BoundingBox(*corners))
    pixels = [decode_image((root / "images" / name).read_bytes()).pixels for name in names]
    return pixels, [found[name] for name in names]


def draw_noise(rng: np.random.Generator) -> Pixels:
    """Coloured noise, from fine grain to clouds."""
    coarse = rng.integers(2, SIDE + 1)
    grain = rng.uniform(0, 255, size=(coarse, coarse, 3)).astype(np.float32)
    return np.asarray(cv2.resize(grain, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)


def draw_plain(rng: np.random.Generator) -> Pixels:
    """One colour, or a gradient from one colour to another."""
    first, last = rng.uniform(0, 255, size=(2, 3))
    if rng.random() < 0.5:
        last = first
    ramp = np.linspace(0, 1, SIDE)[:, np.newaxis, np.newaxis]
    picture = np.broadcast_to(first * (1 - ramp) + last * ramp, (SIDE, SIDE, 3))
    return _as_bytes(np.rot90(picture, int(rng.integers(4))))


def draw_text(rng: np.random.Generator) -> Pixels:
    """Lines of print on paper, as of a scanned form."""
    page = np.full((SIDE, SIDE, 3), rng.integers(200, 256, size=3), dtype=np.uint8)
    ink = tuple(int(value) for value in rng.integers(0, 120, size=3))
    size = float(rng.uniform(0.4, 1.4))
    for top in range(int(28 * size), SIDE, max(12, int(30 * size))):
        word = _WORDS[int(rng.integers(len(_WORDS)))]
        spot = (int(rng.integers(0, 60)), top)
        cv2.putText(page, word, spot, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
    return page


def draw_scene(rng: np.random.Generator) -> Pixels:
    """Overlapping discs, boxes and stripes in many colours, shaded and grainy like a photograph."""
    scene = draw_plain(rng)
    for _ in range(int(rng.integers(4, 30))):
        colour = tuple(int(value) for value in rng.integers(0, 256, size=3))
        first, last = (tuple(int(v) for v in rng.integers(0, SIDE, size=2)) for _ in range(2))
        kind = int(rng.integers(3))
        if kind == 0:
            cv2.circle(scene, first, int(rng.integers(4, 90)), colour, -1, cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(scene, first, last, colour, -1)
        else:
            cv2.line(scene, first, last, colour, int(rng.integers(1, 24)), cv2.LINE_AA)
    soft = cv2.GaussianBlur(scene, (0, 0), float(rng.uniform(0.4, 2.0))).astype(np.float32)
    return _as_bytes(soft * rng.normal(1.0, 0.06, size=(SIDE, SIDE, 1)))


def defocus(square: Pixels, share: float, cell: float = _CELL) -> Pixels:
    """Blur with a Gaussian whose sigma is `share` of the cell's diameter."""
    sigma = share * cell * square.shape[0]
    return np.asarray(cv2.GaussianBlur(square, (0, 0), sigma), dtype=np.uint8)


def shake(square: Pixels, share: float, turn: float, cell: float = _CELL) -> Pixels:
    """Blur along a line of `share` of the cell's diameter, `turn` degrees from the horizontal."""
    length = max(3, round(share * cell * square.shape[0])) | 1
    line = np.zeros((length, length), dtype=np.float32)
    line[length // 2] = 1.0
    middle = (length // 2, length // 2)
    line = cv2.warpAffine(line, cv2.getRotationMatrix2D(middle, turn, 1.0), (length, length))
    kernel = line / line.sum()
    return np.asarray(
        cv2.filter2D(square, -1, kernel, borderType=cv2.BORDER_REPLICATE), dtype=np.uint8
    )


def join_two(first: Pixels, second: Pixels) -> Pixels:
    """Two cells side by side, each its nucleus in the middle of its half."""
    half = SIDE // 2
    return np.hstack([_strip_round_nucleus(each, half) for each in (first, second)])


def halve(square: Pixels, rng: np.random.Generator) -> Pixels:
    """Cut through the nucleus and keep the wider side: half a cell at the edge of its picture."""
    turned = np.ascontiguousarray(np.rot90(square, int(rng.integers(4))))
    nucleus = find_nucleus(turned)
    middle = round((nucleus.x if nucleus else 0.5) * turned.shape[1])
    left, right = turned[:, :middle], turned[:, middle:]
    return np.ascontiguousarray(left if left.shape[1] > right.shape[1] else right)


def smear(square: Pixels, rng: np.random.Generator) -> Pixels:
    """Drag a cell out of shape, as a smudge: strong, smooth random shifts and a pull one way."""
    side = square.shape[0]
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    coarse = rng.normal(0, 1, size=(2, 5, 5)).astype(np.float32)
    shifts = [cv2.resize(each, (side, side), interpolation=cv2.INTER_CUBIC) for each in coarse]
    reach = 0.12 * side
    moved = cv2.remap(
        square,
        columns + np.float32(reach) * shifts[0],
        rows + np.float32(reach) * shifts[1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return shake(np.asarray(moved, dtype=np.uint8), 0.4, float(rng.uniform(0, 180)))


def coarsen(square: Pixels, side: int) -> Pixels:
    """The same picture at `side` pixels."""
    return np.asarray(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _strip_round_nucleus(square: Pixels, width: int) -> Pixels:
    nucleus = find_nucleus(square)
    middle = round((nucleus.x if nucleus else 0.5) * square.shape[1])
    left = int(np.clip(middle - width // 2, 0, square.shape[1] - width))
    return square[:, left : left + width]


def _is_clear(box: BoundingBox, found: Boxes, *, margin: float) -> bool:
    """Whether the square of `margin` round the box touches no white cell and no platelet."""
    reach = margin * max(box.width, box.height) / 2
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return not any(
        other.x0 < x + reach
        and other.x1 > x - reach
        and other.y0 < y + reach
        and other.y1 > y - reach
        for other in [*found["WBC"], *found["Platelets"]]
    )


def _as_bytes(values: NDArray[np.floating]) -> Pixels:
    return np.ascontiguousarray(values.clip(0, 255).astype(np.uint8))
