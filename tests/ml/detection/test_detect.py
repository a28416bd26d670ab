"""Fields of every size and magnification are read alike, whole or in tiles."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.detection.candidates import Candidates, join, keep_one_each
from ml.detection.decoding import decode
from ml.detection.inference import FieldDetector
from ml.detection.objects import KINDS, LEUKOCYTE, PLATELET, Detection, FieldReading
from ml.detection.tiling import TILE, ScaledField, Tile, tiles_over
from tests.ml.detection.drawing import DrawnField, draw_field, see_discs


@pytest.fixture(scope="module")
def detector() -> FieldDetector:
    return FieldDetector(see_discs, dict.fromkeys(KINDS, 0.5))


def check_each_once(reading: FieldReading, field: DrawnField, *, within: float) -> None:
    """Every disc has exactly one box of its kind, near it."""
    assert len(reading.detections) == len(field.kinds)
    for box, kind in zip(field.boxes, field.kinds, strict=True):
        near = [
            detection
            for detection in reading.detections
            if detection.kind == KINDS[kind]
            and np.abs(np.array(detection.box.as_list()) - box).max() <= within
        ]
        assert len(near) == 1, (box, kind, near)


@pytest.mark.parametrize(
    ("width", "height", "red_cell"),
    [
        (320, 240, 40),
        (640, 480, 100),  # as BCCD
        (1400, 1000, 40),  # twelve tiles
        (700, 500, 22),  # enlarged, in tiles
        (2600, 1900, 150),
        (1700, 200, 40),  # a strip
    ],
)
def test_every_cell_is_found_once(
    detector: FieldDetector, width: int, height: int, red_cell: int
) -> None:
    field = draw_field(width, width, height, red_cell=red_cell)
    reading = detector.detect(field.pixels)
    assert reading.scale.basis == "erythrocytes"
    assert reading.scale.red_cell == pytest.approx(red_cell, rel=0.06)
    check_each_once(reading, field, within=max(2.0, 0.07 * red_cell))


def test_tiles_give_what_one_look_at_the_whole_gives() -> None:
    field = draw_field(3, 1200, 900, red_cell=40)
    scaled = ScaledField(field.pixels, 1.0)
    whole = decode(*see_discs(scaled.view(Tile(0, 0, 1216, (0, 0, 1216, 1216)))), floor=0.5)
    parts = [
        tile.own(decode(*see_discs(scaled.view(tile)), floor=0.5).moved(tile.x, tile.y))
        for tile in tiles_over(scaled.width, scaled.height)
    ]
    tiled = keep_one_each(join(parts))
    assert as_set(tiled) == as_set(whole)


def as_set(found: Candidates) -> set[tuple[float, ...]]:
    rows = np.column_stack([found.boxes, found.kinds]).round(2)
    assert len(set(map(tuple, rows.tolist()))) == len(rows)
    return set(map(tuple, rows.tolist()))


@pytest.mark.parametrize("extent", [100, 512, 513, 832, 833, 5000])
def test_cores_cover_every_place_once(extent: int) -> None:
    tiles = [tile for tile in tiles_over(extent, 300) if tile.y == 0]
    places = np.arange(0.5, extent)
    owners = [(places >= t.core[0]) & (places < t.core[2]) for t in tiles]
    assert (np.sum(owners, axis=0) == 1).all()
    assert all(tile.x % 32 == 0 for tile in tiles)
    assert tiles[-1].x + tiles[-1].size >= extent
    assert max(tile.size for tile in tiles) <= TILE


def test_parts_of_an_enlarged_field_fit_together() -> None:
    field = draw_field(5, 400, 300, red_cell=20)
    scaled = ScaledField(field.pixels, 2.0)
    whole = scaled.view(Tile(0, 0, 800, (0, 0, 800, 800)))
    part = scaled.view(Tile(224, 96, 256, (0, 0, 0, 0)))
    assert np.allclose(part, whole[96:352, 224:480], atol=1 / 127)


def test_cells_at_the_edge_are_marked(detector: FieldDetector) -> None:
    field = draw_field(2, 640, 480, red_cell=60)
    for detection in detector.detect(field.pixels).detections:
        x0, y0, x1, y1 = detection.box.as_list()
        is_near = min(x0, y0, 640 - x1, 480 - y1) <= 3
        assert detection.at_edge == is_near, detection


def test_without_red_cells_white_ones_tell_the_scale(detector: FieldDetector) -> None:
    field = draw_field(4, 640, 480, red_cell=80, kinds=(LEUKOCYTE,))
    reading = detector.detect(field.pixels)
    assert reading.scale.basis == "leukocytes"
    assert reading.scale.cells >= 1
    assert reading.scale.red_cell == pytest.approx(80, rel=0.12)
    check_each_once(reading, field, within=6)


@pytest.mark.parametrize("shape", [(240, 320), (3000, 4000), (24, 24), (30, 900)])
def test_an_empty_field_has_a_scale_of_its_own_size_and_no_cell(
    detector: FieldDetector, shape: tuple[int, int]
) -> None:
    empty: NDArray[np.uint8] = np.full((*shape, 3), 240, dtype=np.uint8)
    reading = detector.detect(empty)
    assert (reading.scale.basis, reading.scale.cells) == ("picture", 0)
    assert reading.scale.red_cell == pytest.approx(min(shape) / 4.6)
    assert reading.detections == ()


def test_the_surest_come_first_and_can_be_asked_for_by_kind(detector: FieldDetector) -> None:
    field = draw_field(6, 500, 400, red_cell=40)
    reading = detector.detect(field.pixels)
    confidences = [detection.confidence for detection in reading.detections]
    assert confidences == sorted(confidences, reverse=True)
    platelets: list[Detection] = reading.of_kind("platelet")
    assert len(platelets) == int((field.kinds == PLATELET).sum())
