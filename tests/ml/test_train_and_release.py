"""From a folder of images to a release that serves, in miniature."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from ml.artifacts import CARD_NAME, SUMMARY_NAME, WEIGHTS_NAME, verify
from ml.augmentation import augment
from ml.classes import CELL_CLASSES
from ml.cli import main
from ml.cutting import cut_cell
from ml.datasets import labels_of, load_pixels, read_pbc, split_by_group
from ml.exporting import export_release
from ml.folds import Fold
from ml.inference import load_classifier
from ml.nucleus import find_nucleus
from ml.preprocessing import to_png
from ml.releasing import make_release
from ml.strangers import read_bccd_cells
from ml.synthetic import render_cell, render_field
from ml.training import TrainingPlan, train
from ml.types import BoundingBox

PLAN = TrainingPlan(input_size=64, closer_size=96, batch_size=8, head_epochs=1, epochs=2, seed=5)

DATA = {
    "licence": "none",
    "start": "random weights",
    "split": "by group",
    "sources": [
        {
            "words": "Drawn cells",
            "share_of_views": 1.0,
            "folds": {"train": 48},
            "fingerprints": {"train": "0" * 64},
        }
    ],
}


@pytest.fixture(scope="module")
def image_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of synthetic cells laid out like PBC, and of fields laid out like BCCD."""
    root = tmp_path_factory.mktemp("data")
    rows = []
    for index in range(104):
        label = CELL_CLASSES[index % 8]
        folder = "ig" if label == "immature_granulocyte" else label
        name = f"{folder}/{index}.png"
        (root / "pbc" / folder).mkdir(parents=True, exist_ok=True)
        (root / "pbc" / name).write_bytes(to_png(render_cell(label, index, 72)))
        rows.append({"file": name, "class": folder, "subtype": "", "group": index})
    write_rows(root / "pbc" / "index.csv", rows)
    write_bccd(root / "bccd")
    return root


def write_bccd(root: Path) -> None:
    (root / "images").mkdir(parents=True)
    (root / "images" / "a.png").write_bytes(to_png(render_field(1, 320, 240, cells=1)))
    box = {"file": "a.png", "xmin": 20, "ymin": 30, "xmax": 90, "ymax": 110}
    degenerate = {"file": "a.png", "xmin": 5, "ymin": 5, "xmax": 5, "ymax": 60}
    write_rows(root / "boxes.csv", [{"class": "WBC", **box}, {"class": "WBC", **degenerate}])
    write_rows(root / "cells.csv", [{"file": "a.png", "label": "monocyte", "group": 0}])


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def folds(image_sets: Path) -> dict[str, Fold]:
    return {
        name: Fold(load_pixels(records, 72), labels_of(records, CELL_CLASSES))
        for name, records in split_by_group(read_pbc(image_sets), seed=PLAN.seed).items()
    }


def run_training(folds: dict[str, Fold], run_dir: Path, plan: TrainingPlan = PLAN) -> keras.Model:
    return train(
        plan,
        training=folds["train"],
        validation=folds["validation"],
        run_dir=run_dir,
        backbone_weights=None,
    )


@pytest.fixture(scope="module")
def run_dir(folds: dict[str, Fold], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run_training(folds, folder)
    return folder


def test_a_run_ends_in_a_release_that_loads_and_a_card(
    run_dir: Path, folds: dict[str, Fold], tmp_path: Path
) -> None:
    spec = make_release(
        run_dir,
        tmp_path,
        name="miniature",
        version="0.0.1",
        validation=folds["validation"],
        test=folds["test"],
        data=DATA,
        command="python -m ml train",
    )
    assert verify(tmp_path) == spec
    assert spec.closer is not None
    assert spec.closer.size == 96
    assert (tmp_path / WEIGHTS_NAME).stat().st_size < 15_000_000
    assert spec.metrics["test"]["accuracy"]["n"] == len(folds["test"].labels)
    assert "block_16_project" in (tmp_path / SUMMARY_NAME).read_text()
    card = (tmp_path / CARD_NAME).read_text()
    assert spec.sha256 in card
    assert "Not measured" in card
    export_release(tmp_path)
    prediction = load_classifier(tmp_path).classify([render_cell("basophil", 1, 72)])[0]
    assert set(prediction.probabilities) == set(CELL_CLASSES)


def test_a_finished_run_is_not_run_again(run_dir: Path, folds: dict[str, Fold]) -> None:
    before = (run_dir / "progress.json").read_text()
    run_training(folds, run_dir)
    assert (run_dir / "progress.json").read_text() == before


def test_an_interrupted_run_goes_on_after_its_last_whole_epoch(
    folds: dict[str, Fold], tmp_path: Path
) -> None:
    plan = TrainingPlan(input_size=64, batch_size=8, head_epochs=2, epochs=2)
    run_training(folds, tmp_path, plan)
    progress = json.loads((tmp_path / "progress.json").read_text())
    progress["epoch"] = 1
    progress["history"] = progress["history"][:1]
    (tmp_path / "progress.json").write_text(json.dumps(progress))
    run_training(folds, tmp_path, plan)
    history = json.loads((tmp_path / "progress.json").read_text())["history"]
    assert [entry["epoch"] for entry in history] == [1, 2]


def test_refuses_to_go_on_with_another_plan(run_dir: Path, folds: dict[str, Fold]) -> None:
    with pytest.raises(ValueError, match="another plan"):
        run_training(folds, run_dir, TrainingPlan(input_size=64, epochs=3))


def test_views_differ_yet_stay_images() -> None:
    cell, other = render_cell("eosinophil", 1, 128), render_cell("platelet", 1, 128)
    rng = np.random.default_rng(0)
    nucleus = find_nucleus(cell)
    views = np.stack([augment(cell, nucleus, other, 64, rng) for _ in range(40)])
    assert views.shape == (40, 64, 64, 3)
    assert views.dtype == np.uint8
    assert views.std(axis=0).mean() > 10
    assert (views.std(axis=(1, 2, 3)) > 5).all()


def test_the_command_line_trains_releases_and_evaluates(
    image_sets: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ml.commands.train.imagenet_weights", lambda *_: None)
    data = ["--data", str(image_sets)]
    places = [*data, "--run-dir", str(tmp_path / "run")]
    release = ["--release", str(tmp_path / "release")]
    train_arguments = ["--input-size", "64", "--epochs", "1"]
    assert main(["train", *places, *train_arguments]) == 0
    names = ["--name", "miniature", "--version", "0.0.1"]
    assert main(["release", *places, *release, *names]) == 0
    assert main(["evaluate", *data, *release, "--on", "test"]) == 0
    assert main(["evaluate", *data, *release, "--on", "bccd"]) == 0
    printed = capsys.readouterr().out
    assert "accuracy" in printed
    assert "BCCD crops, margin 1.3" in printed
    assert "BCCD" in (tmp_path / "release" / CARD_NAME).read_text()
    assert verify(tmp_path / "release").closer is None


def test_the_command_line_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--data", str(tmp_path)]) == 1
    assert "index.csv does not exist" in capsys.readouterr().err


def test_strangers_have_one_usable_box_and_a_label(image_sets: Path) -> None:
    (cell,) = read_bccd_cells(image_sets)
    assert (cell.label, cell.box) == ("monocyte", BoundingBox(20, 30, 90, 110))


def test_a_cell_at_the_rim_is_padded_with_background() -> None:
    field = np.full((100, 120, 3), (240, 230, 220), dtype=np.uint8)
    cv2.circle(field, (5, 50), 20, (80, 40, 130), -1)
    cut = cut_cell(field, BoundingBox(0, 30, 25, 70), margin=2.0)
    assert cut.shape == (80, 80, 3)
    assert cut[0, 0].tolist() == [240, 230, 220]
