"""The measure of the monolayer tells thin, crowded, uneven and blurred patches from good ones."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.drawn_slides import draw_block
from benchmarks.monolayer import examine, laboratory_fields
from ml.slides.monolayer import SCALE, SHARP, Look, look_at, merits_of

EMPTY = 232.0


def look(kind: str) -> Look:
    return look_at(draw_block(kind, 0)[:400, :520], EMPTY, SCALE)


def test_a_monolayer_is_good_in_every_respect() -> None:
    merits = merits_of(look("m"), sharp=SHARP)
    assert merits.goodness > 0.5
    assert merits.goodness == min(
        merits.coverage, merits.overlap, merits.evenness, merits.sharpness
    )


def test_thin_and_crowded_patches_are_refused_by_their_coverage() -> None:
    thin, crowded = look("t"), look("T")
    assert thin.coverage < 0.2 < look("m").coverage < 0.88 < crowded.coverage
    assert merits_of(thin, sharp=SHARP).coverage == 0
    assert merits_of(crowded, sharp=SHARP).coverage == 0


def test_a_blurred_patch_is_refused_by_its_sharpness() -> None:
    merits = merits_of(look("b"), sharp=SHARP)
    assert merits.coverage == 1
    assert merits.sharpness == 0


def test_a_patch_half_empty_is_refused_by_its_unevenness() -> None:
    pixels = draw_block("m", 0)[:400, :520].copy()
    pixels[:, 260:] = draw_block(".", 0)[:400, 260:520]
    assert merits_of(look_at(pixels, EMPTY, SCALE), sharp=SHARP).evenness == 0


def test_cells_on_each_other_are_told_from_cells_side_by_side() -> None:
    pixels = draw_block("m", 0)[:400, :520].astype(np.float32)
    shifted = np.roll(pixels, 12, axis=1)
    laid = (pixels * shifted / EMPTY).clip(0, 255).astype(np.uint8)
    assert look_at(laid, EMPTY, SCALE).overlap > 1.5 * look("m").overlap


def test_an_empty_patch_covers_nothing() -> None:
    empty = look_at(draw_block(".", 0)[:400, :520], 236.0, SCALE)
    assert (empty.coverage, empty.overlap, empty.unevenness) == (0, 0, 0)


def test_half_the_resolution_tells_nearly_the_same() -> None:
    pixels = draw_block("m", 0)[:400, :520]
    small = np.asarray(cv2.resize(pixels, (260, 200), interpolation=cv2.INTER_AREA), np.uint8)
    coarse, fine = look_at(small, EMPTY, 2 * SCALE), look("m")
    assert coarse.coverage == pytest.approx(fine.coverage, abs=0.05)
    assert coarse.blur == pytest.approx(fine.blur, abs=0.3)


def test_most_fields_that_laboratories_chose_are_accepted(data_dir: Path) -> None:
    fields = islice(laboratory_fields(data_dir), None, None, 4)
    rows = np.array([examine(pixels) for _, pixels in fields])
    accepted, _, blurred = rows[:, 4:].mean(axis=0)
    assert accepted > 0.85
    assert blurred == 0
