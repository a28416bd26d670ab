"""`python -m ml explain` writes pictures, arrays and figures, and says what it could not read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.cli import main
from ml.explain import METHODS, Network, explain
from ml.explain.overlay import draw_overlay, draw_sheet
from ml.synthetic import render_cell
from tests.ml.annotations import Encode, Pixels


@pytest.fixture
def folder(tmp_path: Path, encode: Encode) -> Path:
    for part, name in (("a", "monocyte"), ("b", "platelet")):
        (tmp_path / "in" / part).mkdir(parents=True)
        cell = render_cell(name, seed=2, size=90)
        (tmp_path / "in" / part / "1.png").write_bytes(encode(cell))
    (tmp_path / "in" / "notes.txt").write_text("not a picture", encoding="utf-8")
    return tmp_path / "in"


def _run(*arguments: object) -> int:
    budget = ("--lime-samples", 64, "--shap-evaluations", 80)
    return main(["explain", *map(str, arguments), *map(str, budget)])


def test_explains_a_folder_by_every_method(
    folder: Path, tmp_path: Path, tiny_release: Path
) -> None:
    out = tmp_path / "out"
    assert _run(folder, "--release", tiny_release, "--method", "all", "--out", out) == 0
    index = json.loads((out / "explanations.json").read_text(encoding="utf-8"))
    assert index["model"]["name"] == "tiny"
    assert [entry["sheet"] for entry in index["images"]] == ["a-1.png", "b-1.png"]
    for entry in index["images"]:
        assert [each["method"] for each in entry["explanations"]] == list(METHODS)
        with np.load(out / entry["arrays"]) as stored:
            shapes = {name: stored[name].shape for name in stored.files}
        for each in entry["explanations"]:
            assert 0 <= each["deletion"] <= 1
            assert 0 <= each["insertion"] <= 1
            assert "not where the cell is" in each["caption"]
            assert shapes[f"{each['method']}/heat"] == (90, 90)
            with Image.open(out / each["overlay"]) as overlay:
                assert overlay.width >= 320


def test_explains_the_class_asked_for(folder: Path, tmp_path: Path, tiny_release: Path) -> None:
    out = tmp_path / "out"
    options = ("--release", tiny_release, "--class", "basophil", "--out", out)
    assert _run(folder / "a" / "1.png", folder / "b" / "1.png", *options) == 0
    index = json.loads((out / "explanations.json").read_text(encoding="utf-8"))
    assert [entry["sheet"] for entry in index["images"]] == ["1.png", "1-2.png"]
    assert {entry["explanations"][0]["class"] for entry in index["images"]} == {"basophil"}


def test_one_bad_file_loses_no_other(
    folder: Path, tmp_path: Path, tiny_release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a" / "0.png").write_bytes(b"nothing")
    assert _run(folder, "--release", tiny_release, "--out", tmp_path / "out") == 1
    index = json.loads((tmp_path / "out" / "explanations.json").read_text(encoding="utf-8"))
    assert ["error" in entry for entry in index["images"]] == [True, False, False]
    assert "1 of 3 images could not be explained" in capsys.readouterr().err


def test_refuses_a_folder_without_images_and_a_budget_too_small(
    folder: Path, tmp_path: Path, tiny_release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    options = ("--release", str(tiny_release), "--out", str(tmp_path / "out"))
    assert main(["explain", str(tmp_path / "empty"), *options]) == 1
    shap = ("--method", "shap", "--shap-evaluations", "10")
    assert main(["explain", str(folder), *options, *shap]) == 1
    assert "need at least" in capsys.readouterr().err


def test_the_tint_leaves_lightness_and_what_is_cold(eosinophil: Pixels) -> None:
    heat = np.zeros(eosinophil.shape[:2], np.float32)
    np.testing.assert_array_equal(draw_overlay(eosinophil, heat)[::2, ::2].shape, eosinophil.shape)
    large = Image.fromarray(eosinophil).resize((360, 360), Image.Resampling.BICUBIC)
    cold = draw_overlay(eosinophil, heat)
    assert np.abs(np.asarray(large, float) - cold).mean() < 2
    heat += 0.4  # below the outline
    warm = draw_overlay(eosinophil, heat)
    light = [np.asarray(Image.fromarray(each).convert("L"), float) for each in (cold, warm)]
    assert np.corrcoef(light[0].ravel(), light[1].ravel())[0, 1] > 0.98
    assert np.abs(cold.astype(float) - warm).mean() > 5


def test_a_sheet_holds_the_picture_and_every_explanation(
    untrained: Network, eosinophil: Pixels
) -> None:
    each = explain(untrained, eosinophil, is_scored=False)
    one, two = (draw_sheet(eosinophil, [each] * count, "cell.png") for count in (1, 2))
    assert two.shape[1] > one.shape[1]
    assert one.std() > 20
