"""Regions are proposed where red cells lie side by side and sharp, and only there."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from benchmarks.drawn_slides import BLOCK, Plan, write_tiff
from ml.slides.opening import open_slide
from ml.slides.proposing import Region, propose_regions, scale_of
from ml.slides.slide import Slide
from tests.ml.slides.conftest import PLAN


def test_regions_lie_in_the_monolayer(slide: Slide) -> None:
    regions = propose_regions(slide, 6)
    assert len(regions) == 6
    for region in regions:
        assert (region.box.width, region.box.height) == (520, 400)  # 130 x 100 micrometres
        assert blocks_under(region) == {"m"}


def test_the_best_region_is_first(slide: Slide) -> None:
    goodness = [region.goodness for region in propose_regions(slide, 6)]
    assert goodness == sorted(goodness, reverse=True)
    assert all(0 < each <= 1 for each in goodness)


def test_no_two_regions_are_next_to_each_other(slide: Slide) -> None:
    for one, other in combinations(propose_regions(slide, 8), 2):
        across = abs(one.box.x0 - other.box.x0) // 520
        down = abs(one.box.y0 - other.box.y0) // 400
        assert max(across, down) >= 2


def test_regions_are_spread_over_the_monolayer(slide: Slide) -> None:
    boxes = [region.box for region in propose_regions(slide, 4)]
    assert max(box.x1 for box in boxes) - min(box.x0 for box in boxes) > 1.5 * BLOCK
    assert max(box.y1 for box in boxes) - min(box.y0 for box in boxes) > 1.5 * BLOCK


def test_the_same_slide_gives_the_same_regions(slide: Slide) -> None:
    assert propose_regions(slide, 5) == propose_regions(slide, 5)


def test_no_more_are_proposed_than_there_are(slide: Slide) -> None:
    assert 6 <= len(propose_regions(slide, 200)) < 25
    assert propose_regions(slide, 0) == []


@pytest.mark.parametrize("plan", [["..", ".."], ["tt", "tt"], ["TT", "TT"], ["bb", "bb"]])
def test_none_are_proposed_where_there_is_no_monolayer(tmp_path: Path, plan: Plan) -> None:
    path = tmp_path / "slide.tif"
    write_tiff(path, plan)
    with open_slide(path) as slide:
        assert propose_regions(slide, 4) == []


def test_a_known_scale_overrules_the_slide(slide: Slide) -> None:
    (region,) = propose_regions(slide, 1, microns_per_pixel=0.2)
    assert (region.box.width, region.box.height) == (650, 500)


@pytest.mark.parametrize("scale", [0.01, 1.5])
def test_none_are_proposed_where_a_field_is_larger_than_the_slide_or_cells_are_specks(
    slide: Slide, scale: float
) -> None:
    assert propose_regions(slide, 4, microns_per_pixel=scale) == []


@pytest.mark.parametrize(
    ("told", "power", "scale"), [(0.25, 20, 0.25), (None, 40, 0.25), (None, None, 0.1)]
)
def test_the_scale_is_the_slides_or_the_objectives_or_that_of_100(
    slide: Slide, told: float | None, power: float | None, scale: float
) -> None:
    slide.microns_per_pixel, slide.objective_power = told, power
    assert scale_of(slide) == pytest.approx(scale)


def blocks_under(region: Region) -> set[str]:
    box = region.box
    return {
        PLAN[y // BLOCK][x // BLOCK] for x in (box.x0, box.x1 - 1) for y in (box.y0, box.y1 - 1)
    }
