"""Fields that overlap are found, others are not, and each white cell counts once."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.overlap_cuts import Cut, drawn_cuts, photograph
from benchmarks.overlaps import APART, UNLABELLED, read, read_groups
from ml.fields.features import KEYPOINTS, FieldFeatures, describe
from ml.fields.overlap import (
    Overlap,
    OverlappingPair,
    corners,
    find_overlaps,
    match,
    shared_area,
)
from ml.fields.repeats import CellKey, is_at_edge, repeats
from ml.strangers import white_boxes
from ml.synthetic import render_field
from ml.types import BoundingBox

SIZE = (640, 480)


@pytest.fixture(scope="module")
def cuts() -> list[Cut]:
    """Views of three drawn smears that share a fifth, as a poor camera takes them."""
    return list(drawn_cuts(share=0.2, count=3, size=SIZE, red_cell=70))


def _worst_corner(found: Overlap, cut: Cut) -> float:
    size = (cut.first.shape[1], cut.first.shape[0])
    apart = found.transform - cut.transform
    return float(np.abs(corners(size) @ apart[:, :2].T + apart[:, 2]).max())


def test_a_shared_fifth_is_found_and_placed(cuts: list[Cut]) -> None:
    for cut in cuts:
        found = match(describe(cut.first), describe(cut.second))
        assert found is not None
        assert _worst_corner(found, cut) < 8
        assert found.share == pytest.approx(cut.share, abs=0.03)


def test_the_order_of_two_fields_only_turns_the_transform_round(cuts: list[Cut]) -> None:
    a, b = describe(cuts[0].first), describe(cuts[0].second)
    there, back = match(a, b), match(b, a)
    assert there is not None
    assert back is not None
    through = back.transform[:, :2] @ there.transform[:, :2]
    assert np.allclose(through, np.eye(2), atol=0.01)


@pytest.mark.parametrize("size", [(320, 240), (4000, 3000)])
def test_small_and_large_fields_match_alike(size: tuple[int, int]) -> None:
    width, height = size
    smear = np.asarray(cv2.resize(render_field(5, 1280, 480, 6), (2 * width, height)), np.uint8)
    views = [np.ascontiguousarray(smear[:, x : x + width]) for x in (0, int(0.6 * width))]
    found = match(*(describe(view) for view in views))
    assert found is not None
    assert found.transform[:, 2] == pytest.approx([-0.6 * width, 0], abs=0.01 * width)
    assert found.share == pytest.approx(0.4, abs=0.02)


def test_dust_vignetting_and_a_time_stamp_do_not_match() -> None:
    rng = np.random.default_rng(0)
    smears = [render_field(seed, *SIZE, cells=2, red_cell=70) for seed in range(40, 46)]
    assert find_overlaps([describe(photograph(smear, rng)) for smear in smears]) == []


def test_the_same_field_taken_again_matches_whole() -> None:
    rng = np.random.default_rng(1)
    smear = render_field(46, *SIZE, cells=2, red_cell=70)
    found = match(describe(photograph(smear, rng)), describe(photograph(smear, rng)))
    assert found is not None
    assert found.share > 0.98


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_an_empty_field_matches_nothing_not_even_itself(colour: int) -> None:
    empty = describe(np.full((480, 640, 3), colour, dtype=np.uint8))
    assert match(empty, empty) is None
    assert match(empty, describe(render_field(47, *SIZE))) is None


@pytest.mark.parametrize("shape", [(24, 24), (24, 5000), (5000, 24), (30, 900)])
def test_a_strip_is_described_and_matches_nothing(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    empty = np.full_like(noise, 200)
    for strip in (noise, empty):
        assert match(describe(strip), describe(render_field(47, *SIZE))) is None


def test_all_pairs_of_a_case_are_given_in_order(cuts: list[Cut]) -> None:
    views = [view for cut in cuts for view in (cut.first, cut.second)]
    found = find_overlaps([describe(view) for view in views])
    assert [(pair.first, pair.second) for pair in found] == [(0, 1), (2, 3), (4, 5)]


def test_features_are_read_back_as_they_were(cuts: list[Cut]) -> None:
    features = describe(cuts[0].first)
    data = features.to_bytes()
    back = FieldFeatures.from_bytes(data)
    assert len(data) < 80_000
    assert 0 < len(features.points) <= KEYPOINTS
    assert (back.width, back.height) == SIZE
    for name in ("points", "descriptors", "small"):
        assert np.array_equal(getattr(back, name), getattr(features, name))
        assert getattr(back, name).dtype == getattr(features, name).dtype


def test_what_are_no_features_is_refused(cuts: list[Cut]) -> None:
    data = describe(cuts[0].first).to_bytes()
    for broken in (b"", b"JPEG", data[:-9], b"XXXX" + data[4:], data[:18] + b"junk"):
        with pytest.raises(ValueError, match="not the features of a field"):
            FieldFeatures.from_bytes(broken)


def test_shared_area_is_of_the_smaller_field() -> None:
    shift = np.array([[1, 0, 50], [0, 1, 0]], dtype=np.float64)
    assert shared_area(shift, (100, 100), (100, 100)) == pytest.approx(0.5)
    assert shared_area(shift, (50, 100), (100, 100)) == pytest.approx(1.0)
    assert shared_area(shift, (50, 50), (50, 50)) == 0.0


def _pair(first: int, second: int, dx: float, dy: float = 0.0) -> OverlappingPair:
    """Fields of 640 x 480; what is at x, y in the first is at x + dx, y + dy in the second."""
    transform: NDArray[np.float64] = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float64)
    share = shared_area(transform, SIZE, SIZE)
    return OverlappingPair(first, second, Overlap(transform, 30, 0.95, share, (SIZE, SIZE)))


def test_a_cell_in_both_fields_counts_in_the_first() -> None:
    cells = [[BoundingBox(400, 200, 500, 300)], [BoundingBox(102, 195, 205, 300)]]
    assert repeats(cells, [_pair(0, 1, -300)]) == {CellKey(1, 0): CellKey(0, 0)}


def test_another_cell_beside_it_is_no_repeat() -> None:
    cells = [[BoundingBox(400, 200, 500, 300)], [BoundingBox(190, 200, 290, 300)]]
    assert repeats(cells, [_pair(0, 1, -300)]) == {}


def test_a_cell_outside_the_shared_part_is_no_repeat() -> None:
    cells = [[BoundingBox(100, 200, 200, 300)], [BoundingBox(100, 200, 200, 300)]]
    assert repeats(cells, [_pair(0, 1, -300)]) == {}


def test_a_cut_cell_counts_where_it_is_whole() -> None:
    cells = [[BoundingBox(590, 200, 640, 300)], [BoundingBox(290, 200, 390, 300)]]
    assert repeats(cells, [_pair(0, 1, -300)]) == {CellKey(0, 0): CellKey(1, 0)}


def test_a_cell_whole_nowhere_counts_where_most_is_seen() -> None:
    cells = [[BoundingBox(610, 0, 640, 40)], [BoundingBox(310, 0, 400, 60)]]
    assert repeats(cells, [_pair(0, 1, -300, 0)]) == {CellKey(0, 0): CellKey(1, 0)}


def test_a_chain_of_three_fields_has_one_cell_that_counts() -> None:
    cells = [
        [BoundingBox(590, 200, 640, 300)],
        [BoundingBox(290, 200, 390, 300)],
        [BoundingBox(90, 200, 190, 300)],
    ]
    found = repeats(cells, [_pair(1, 2, -200), _pair(0, 1, -300)])
    assert found == {CellKey(0, 0): CellKey(1, 0), CellKey(2, 0): CellKey(1, 0)}
    assert not set(found) & set(found.values())


def test_two_cells_of_one_field_are_never_joined() -> None:
    cells = [
        [BoundingBox(400, 200, 500, 300), BoundingBox(410, 205, 510, 305)],
        [BoundingBox(100, 200, 200, 300)],
        [BoundingBox(310, 205, 410, 305)],
    ]
    found = repeats(cells, [_pair(0, 1, -300), _pair(0, 2, -100), _pair(1, 2, 210)])
    for key, counted in found.items():
        assert key.field != counted.field
    assert CellKey(0, 1) not in found


def test_touching_the_edge_is_being_cut() -> None:
    assert is_at_edge(BoundingBox(1, 100, 80, 200), SIZE)
    assert is_at_edge(BoundingBox(500, 400, 600, 480), SIZE)
    assert not is_at_edge(BoundingBox(10, 10, 80, 80), SIZE)


@pytest.fixture(scope="module")
def real(data_dir: Path) -> tuple[Path, dict[str, str]]:
    """BCCD's overlapping fields and 60 others, with their groups."""
    root = data_dir / "bccd"
    if not (root / "cells.csv").is_file():
        pytest.skip("needs BCCD")
    groups = read_groups(root / "cells.csv")
    sizes = dict.fromkeys(groups.values(), 0)
    for group in groups.values():
        sizes[group] += 1
    beyond = set(itertools.chain(*UNLABELLED))
    joined = [name for name, group in groups.items() if sizes[group] > 1 or name in beyond]
    others = [name for name in groups if name not in set(joined)][::4][:60]
    return root, {name: groups[name] for name in sorted(joined + others)}


@pytest.mark.timeout(120)
def test_real_fields_match_where_they_overlap_and_nowhere_else(
    real: tuple[Path, dict[str, str]],
) -> None:
    root, groups = real
    cv2.setNumThreads(1)
    names = list(groups)
    found = find_overlaps([describe(read(root, name)) for name in names])
    pairs = {(names[pair.first], names[pair.second]) for pair in found}
    labelled = {(a, b) for a, b in itertools.combinations(names, 2) if groups[a] == groups[b]}
    assert pairs == (labelled - APART.keys()) | UNLABELLED.keys()
    boxes = white_boxes(root / "boxes.csv")
    again = repeats([boxes[f"BloodImage_{name}.jpg"] for name in names], found)
    shown = {(names[key.field], names[counted.field]) for key, counted in again.items()}
    # 00207's neutrophil is cut by the edge, so the later field's counts
    assert {("00278", "00206"), ("00038", "00037"), ("00207", "00279")} <= shown
    assert not {one for pair in shown for one in pair} & {"00160", "00161", "00019", "00020"}
