"""Good fields pass; blurred, dark, bright, pale, empty and crowded ones are told from them."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml.fields.quality import ADVICE, FieldQuality, judge_field
from ml.preprocessing import decode_image
from ml.synthetic import render_field

Pixels = NDArray[np.uint8]
RED_CELL = 70


@pytest.fixture(scope="module", params=[1, 2, 3])
def field(request: pytest.FixtureRequest) -> Pixels:
    return render_field(request.param, 640, 480, cells=2, red_cell=RED_CELL)


def codes(found: FieldQuality) -> list[str]:
    return [problem.code for problem in found.problems]


def as_bytes(values: NDArray[np.floating]) -> Pixels:
    return np.asarray(values.round().clip(0, 255), dtype=np.uint8)


def blurred(pixels: Pixels, share: float) -> Pixels:
    """Blur by a share of a red cell's diameter."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), share * RED_CELL), dtype=np.uint8)


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    how = cv2.INTER_AREA if width < pixels.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), dtype=np.uint8)


def test_a_good_field_has_no_problem(field: Pixels) -> None:
    found = judge_field(field)
    assert found.problems == ()
    assert found.red_cell == pytest.approx(RED_CELL, rel=0.25)
    assert found.brightness == pytest.approx(232, abs=6)
    assert found.covered + found.empty <= 1.0


def test_more_blur_is_measured_as_more(field: Pixels) -> None:
    degrees = [judge_field(blurred(field, share)).blur for share in (0.01, 0.03, 0.06, 0.12)]
    assert all(degree is not None for degree in degrees)
    assert degrees == sorted(degrees, key=float)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.08, 0.12, 0.2])
def test_a_field_out_of_focus_is_told_and_nothing_else(field: Pixels, share: float) -> None:
    assert codes(judge_field(blurred(field, share))) == ["out_of_focus"]


@pytest.mark.parametrize("size", [(320, 240), (1280, 960), (2560, 1920)])
def test_measures_are_the_same_at_every_size(field: Pixels, size: tuple[int, int]) -> None:
    usual, found = judge_field(field), judge_field(resized(field, *size))
    assert found.problems == ()
    assert usual.red_cell is not None
    assert found.red_cell == pytest.approx(usual.red_cell * size[0] / 640, rel=0.1)
    assert found.blur == pytest.approx(usual.blur, abs=0.008)
    for name in ("brightness", "covered", "empty", "contrast"):
        assert getattr(found, name) == pytest.approx(getattr(usual, name), rel=0.15)


def test_a_large_field_of_small_cells_is_judged_in_windows() -> None:
    large = render_field(4, 1600, 1200, cells=6, red_cell=40)
    sharp, soft = judge_field(large), judge_field(np.asarray(cv2.GaussianBlur(large, (0, 0), 4)))
    assert sharp.problems == ()
    assert codes(soft) == ["out_of_focus"]


@pytest.mark.parametrize(
    ("gain", "code"), [(0.2, "too_dark"), (0.45, "too_dark"), (1.5, "too_bright")]
)
def test_wrong_exposure_is_told(field: Pixels, gain: float, code: str) -> None:
    assert codes(judge_field(as_bytes(field * gain))) == [code]


@pytest.mark.parametrize("veil", [0.7, 0.75])
def test_cells_behind_a_veil_of_light_are_told(field: Pixels, veil: float) -> None:
    assert codes(judge_field(as_bytes(232 * veil + field * (1 - veil)))) == ["pale_stain"]


def test_light_that_fades_towards_the_corners_does_not_count_as_cells(field: Pixels) -> None:
    rows, columns = np.mgrid[-1:1:480j, -1:1:640j]
    shaded = judge_field(as_bytes(field * (1 - 0.15 * (rows**2 + columns**2))[..., np.newaxis]))
    assert shaded.problems == ()
    assert shaded.covered == pytest.approx(judge_field(field).covered, abs=0.03)


def test_black_round_an_eyepiece_is_left_out(field: Pixels) -> None:
    rows, columns = np.mgrid[:480, :640]
    is_seen = (np.hypot(rows - 240, columns - 320) < 250)[..., np.newaxis]
    usual, found = judge_field(field), judge_field(field * is_seen)
    assert found.problems == ()
    assert found.red_cell == pytest.approx(usual.red_cell, rel=0.25)
    assert codes(judge_field(blurred(field, 0.1) * is_seen)) == ["out_of_focus"]


def test_a_bare_slide_is_told() -> None:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[-1:1:480j, -1:1:640j]
    slide = 220 * (1 - 0.15 * (rows**2 + columns**2))[..., np.newaxis]
    found = judge_field(as_bytes(slide + rng.normal(0, 4, (480, 640, 3))))
    assert codes(found) == ["too_few_cells"]
    assert found.red_cell is None
    assert found.blur is None


def test_layers_of_cells_are_told() -> None:
    layers = [render_field(seed, 640, 480, 2, RED_CELL) / 240.0 for seed in range(4)]
    assert codes(judge_field(as_bytes(240 * np.prod(layers, axis=0)))) == ["crowded"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [(0, ["too_dark", "too_few_cells"]), (128, ["too_few_cells"]), (255, ["too_bright"])],
)
@pytest.mark.parametrize("size", [(24, 24), (37, 240), (480, 640)])
def test_plain_pictures_of_any_size(level: int, expected: list[str], size: tuple[int, int]) -> None:
    assert codes(judge_field(np.full((*size, 3), level, dtype=np.uint8))) == expected


def test_is_kept_as_json_and_says_what_to_do(field: Pixels) -> None:
    stored = json.loads(json.dumps(judge_field(blurred(field, 0.1)).as_json()))
    assert stored["problems"] == [{"code": "out_of_focus", "advice": ADVICE["out_of_focus"]}]
    assert stored["measures"].keys() == {
        "brightness", "clipped", "covered", "empty", "contrast", "red_cell", "blur",
    }  # fmt: skip
    assert json.dumps(judge_field(np.zeros((24, 24, 3), np.uint8)).as_json(), allow_nan=False)


@pytest.fixture(scope="module")
def real_fields(data_dir: Path) -> list[Pixels]:
    """Every sixth field of BCCD, and every fifth of BCDD."""
    index = data_dir / "txl" / "index.csv"
    bccd = sorted((data_dir / "bccd" / "images").glob("*.jpg"))[::6]
    if not bccd or not index.is_file():
        pytest.skip("needs BCCD and TXL-PBC")
    with index.open(newline="", encoding="utf-8") as lines:
        names = [row["file"] for row in csv.DictReader(lines) if row["source"] == "BCDD"]
    paths = itertools.chain(bccd, [data_dir / "txl" / "images" / name for name in names[::5]])
    return [decode_image(path.read_bytes()).pixels for path in paths]


def test_real_fields_pass_and_their_blurred_copies_do_not(real_fields: list[Pixels]) -> None:
    warned = caught = 0
    for pixels in real_fields:
        found = judge_field(pixels)
        warned += bool(found.problems)
        soft = cv2.GaussianBlur(pixels, (0, 0), 0.1 * (found.red_cell or RED_CELL))
        caught += codes(judge_field(np.asarray(soft, dtype=np.uint8))) == ["out_of_focus"]
    assert warned <= 0.03 * len(real_fields)
    assert caught >= 0.97 * len(real_fields)
