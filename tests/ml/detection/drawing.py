"""Fields of plain discs whose boxes are known, and a network that sees nothing but such discs."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.detection.decoding import encode
from ml.detection.objects import ERYTHROCYTE, KINDS, LEUKOCYTE, PLATELET, STRIDE
from ml.preprocessing import to_png

Rows = list[dict[str, object]]

SLIDE = (240, 235, 230)
COLOURS = {ERYTHROCYTE: (220, 120, 130), LEUKOCYTE: (90, 40, 150), PLATELET: (150, 80, 190)}
SIZES = {ERYTHROCYTE: 1.0, LEUKOCYTE: 1.8, PLATELET: 0.4}


@dataclass(frozen=True)
class DrawnField:
    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    kinds: NDArray[np.int64]


def draw_field(
    seed: int,
    width: int,
    height: int,
    *,
    red_cell: float,
    kinds: tuple[int, ...] = (ERYTHROCYTE,) * 8 + (LEUKOCYTE, PLATELET),
) -> DrawnField:
    """Discs on a loose grid, which nowhere touch; some are cut by the edge, none by half."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), SLIDE, dtype=np.uint8)
    step, inset = 1.9 * red_cell, 0.15 * red_cell
    boxes, chosen = [], []
    for y in np.arange(0.3 * step, height - inset, step):
        for x in np.arange(0.3 * step, width - inset, step):
            kind = int(rng.choice(kinds))
            radius = int(SIZES[kind] * red_cell / 2)
            middle = (np.array([x, y]) + rng.uniform(-0.03, 0.03, 2) * red_cell).astype(int)
            cv2.circle(pixels, middle.tolist(), radius, COLOURS[kind], -1)
            box = np.concatenate([middle - radius, middle + radius + 1])
            boxes.append(box.clip(0, [width, height, width, height]))
            chosen.append(kind)
    return DrawnField(pixels, np.array(boxes, dtype=np.float32), np.array(chosen, dtype=np.int64))


def see_discs(view: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A stand-in network: sure of discs as large as it knows them, unsure of others."""
    outside = (view == 0).all(axis=2)
    stained = ((view[..., 1] < 0.45) & ~outside).astype(np.uint8)
    count, _, statistics, middles = cv2.connectedComponentsWithStats(stained)
    shape = (view.shape[0] // STRIDE, view.shape[1] // STRIDE, len(KINDS))
    logits = np.full(shape, -8.0, dtype=np.float32)
    boxes = np.ones((*shape, 4), dtype=np.float32)
    for number in range(1, count):
        x, y, width, height, area = statistics[number]
        if area < 12:
            continue
        box = np.array([x, y, x + width, y + height], dtype=np.float32)
        column, row = ((box[:2] + box[2:]) / 2).astype(int)
        kind = _kind_at(view, *middles[number].astype(int))
        size = max(width, height) / SIZES[kind]
        sure = 4.0 if 22 < size < 75 else -1.5
        _mark(logits[..., kind], boxes[..., kind, :], (row // STRIDE, column // STRIDE), sure, box)
    return logits, encode(boxes)


def _mark(
    logits: NDArray[np.float32],
    boxes: NDArray[np.float32],
    place: tuple[int, int],
    sure: float,
    box: NDArray[np.float32],
) -> None:
    """A peak that falls off, with the same box all round, as a trained network gives it."""
    for row in range(place[0] - 1, place[0] + 2):
        for column in range(place[1] - 1, place[1] + 2):
            if not (0 <= row < logits.shape[0] and 0 <= column < logits.shape[1]):
                continue
            away = abs(row - place[0]) + abs(column - place[1])
            if sure - away > logits[row, column]:
                logits[row, column], boxes[row, column] = sure - away, box


def _kind_at(view: NDArray[np.float32], x: int, y: int) -> int:
    colour = (view[y, x] + 1) * 127.5
    away = {kind: float(np.abs(colour - known).sum()) for kind, known in COLOURS.items()}
    return min(away, key=lambda kind: away[kind])


def write_image_sets(root: Path, *, fields: int = 8) -> Path:
    """A data folder laid out like the real one: BCCD, PBC's list, and TXL-PBC of both and BCDD."""
    names = {ERYTHROCYTE: "RBC", LEUKOCYTE: "WBC", PLATELET: "Platelets"}
    drawn: dict[str, DrawnField] = {}

    def rows(file: str, field: DrawnField) -> Rows:
        return [
            {"file": file, "class": names[int(kind)], **_corners(box)}
            for box, kind in zip(field.boxes, field.kinds, strict=True)
        ]

    bccd: Rows = []
    txl: Rows = []
    cells: Rows = []
    index: Rows = []
    pbc: Rows = []
    for number in range(fields):
        name = f"BloodImage_{number:05d}.png"
        drawn[f"bccd/images/{name}"] = field = draw_field(number, 320, 240, red_cell=50)
        bccd += rows(name, field)[1:]
        cells.append({"file": name, "label": "", "group": number})
        if number % 2:
            drawn[f"txl/images/b{number}.png"] = field
            txl += rows(f"b{number}.png", field)
            index.append({"file": f"b{number}.png", "source": "BCCD", "original": name})
    for number in range(fields):
        for source, letter in (("PBC", "p"), ("BCDD", "d")):
            field = draw_field(100 + number, 200, 200, red_cell=36)
            drawn[f"txl/images/{letter}{number}.png"] = field
            txl += rows(f"{letter}{number}.png", field)
            original = f"{letter.upper()}_{number}.jpg"
            index.append({"file": f"{letter}{number}.png", "source": source, "original": original})
        pbc.append({"file": f"monocyte/P_{number}.webp", "class": "monocyte", "group": number})
    for name, field in drawn.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(to_png(field.pixels))
    (root / "pbc").mkdir()
    tables: dict[str, Rows] = {
        "bccd/boxes.csv": bccd, "bccd/cells.csv": cells, "txl/boxes.csv": txl,
        "txl/index.csv": index, "pbc/index.csv": pbc,
    }  # fmt: skip
    for name, table in tables.items():
        write_rows(root / name, table)
    return root


def write_rows(path: Path, rows: Rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _corners(box: NDArray[np.float32]) -> dict[str, object]:
    return dict(zip(("xmin", "ymin", "xmax", "ymax"), map(float, box), strict=True))
