"""A slide with a glass margin, a thin end, a monolayer blurred in one place, and a thick part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.drawn_slides import Plan, write_tiff
from ml.slides.opening import open_slide
from ml.slides.slide import Slide

PLAN: Plan = [
    "..........",
    ".tmmmmTTT.",
    ".tmbmmTTTT",
    ".tmmmmTTTT",
    ".ttmmmTTTT",
    "..........",
]


@pytest.fixture(scope="session")
def slide_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slides") / "smear.tif"
    write_tiff(path, PLAN)
    return path


@pytest.fixture
def slide(slide_path: Path) -> Iterator[Slide]:
    with open_slide(slide_path) as opened:
        yield opened
