"""`manage.py classify` on pictures of cells: one line an image, whatever the image."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifier import inference
from classifier.command_line.files import ImageFile, Item, group
from ml.classes import CELL_CLASSES, UNIDENTIFIED
from ml.fake import FakeClassifier
from ml.preprocessing import to_png
from ml.synthetic import render_cell, render_field
from ml.types import Prediction
from tests.ml.annotations import Pixels
from tests.ml.classifying import run, run_as_text


@pytest.fixture(autouse=True)
def fake_model(monkeypatch: pytest.MonkeyPatch) -> FakeClassifier:
    """Classify by the stand-in; its answers are checked, not the network's."""
    fake = FakeClassifier(["eosinophil"])
    monkeypatch.setattr(inference, "_load", lambda release_dir: fake)
    return fake


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good cells in nested folders, and files that are no good at all."""
    nested = tmp_path / "slides" / "b ä"
    nested.mkdir(parents=True)
    (nested / "ONE.PNG").write_bytes(to_png(render_cell("eosinophil", 1, 96)))
    (tmp_path / "slides" / "two.jpg").write_bytes(to_png(render_cell("basophil", 2, 96)))
    (tmp_path / "slides" / "letter.jpg").write_text("not an image")
    (tmp_path / "slides" / "empty.tif").touch()
    (tmp_path / "slides" / "notes.txt").write_text("ignored")
    (tmp_path / "slides" / ".hidden.png").write_bytes(b"")
    return tmp_path / "slides"


def test_describes_a_cell_as_specified(folder: Path, fake_model: FakeClassifier) -> None:
    path = folder / "two.jpg"
    (line,) = run(path)
    cells = line.pop("cells")
    assert line.pop("seconds") > 0
    assert line == {
        "file": str(path),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "kind": "cell",
        "model": {"name": fake_model.name, "version": fake_model.version},
    }
    (cell,) = cells
    assert cell["box"] == [0, 0, 96, 96]
    assert (cell["type"], cell["referred"]) == ("eosinophil", False)
    assert cell["confidence"] == cell["probabilities"]["eosinophil"] == 0.97
    assert set(cell["probabilities"]) == set(CELL_CLASSES)


def test_walks_folders_and_lets_no_bad_file_spoil_the_good_ones(folder: Path) -> None:
    lines = run(folder, code=1)
    names = [Path(line["file"]).name for line in lines]
    assert names == ["empty.tif", "letter.jpg", "two.jpg", "ONE.PNG"]
    failed = {Path(line["file"]).name: line for line in lines if "error" in line}
    assert set(failed) == {"empty.tif", "letter.jpg"}
    assert all(set(line) == {"file", "error"} for line in failed.values())


def test_a_field_can_be_insisted_to_be_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "field.png"
    path.write_bytes(to_png(render_field(3, 640, 480, 3, 55)))
    assert run(path, "--kind", "cell")[0]["kind"] == "cell"


def test_a_referred_cell_is_unidentified(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "_load", lambda release_dir: FakeClassifier([UNIDENTIFIED]))
    (cell,) = run(folder / "two.jpg")[0]["cells"]
    assert (cell["type"], cell["referred"]) == (UNIDENTIFIED, True)


def test_the_box_is_that_of_the_upright_image(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    picture = Image.fromarray(render_cell("monocyte", 1, 120)[:100])
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert run(tmp_path, "--kind", "cell")[0]["cells"][0]["box"] == [0, 0, 100, 120]


def test_reports_what_cannot_be_opened(tmp_path: Path) -> None:
    empty = tmp_path / "empty folder"
    empty.mkdir()
    os.mkfifo(tmp_path / "pipe")
    lines = run(tmp_path / "missing.png", empty, tmp_path / "pipe", code=1)
    assert [line["error"] for line in lines] == [
        "The file cannot be read: No such file or directory.",
        "The folder holds no image files.",
        "This is not an ordinary file.",
    ]


def test_many_images_go_through_in_bounded_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    fake = FakeClassifier()

    class Counting(FakeClassifier):
        def classify(self, images: Sequence[Pixels]) -> list[Prediction]:
            sizes.append(len(images))
            return fake.classify(images)

    monkeypatch.setattr(inference, "_load", lambda release_dir: Counting())
    for index in range(70):
        cell = render_cell(CELL_CLASSES[index % 8], index, 40)
        (tmp_path / f"{index:03}.png").write_bytes(to_png(cell))
    lines = run(tmp_path)
    assert sizes == [32, 32, 6]
    assert [Path(line["file"]).stem for line in lines] == [f"{index:03}" for index in range(70)]


def test_large_images_make_small_batches() -> None:
    items = [
        Item(ImageFile(Path(str(index))), pixels=np.zeros((5000, 6000, 3), dtype=np.uint8))
        for index in range(3)
    ]
    batches = list(group(items))
    assert [len(batch) for batch in batches] == [2, 1]


def test_prints_a_line_for_people_without_json(folder: Path) -> None:
    printed = run_as_text(folder / "two.jpg")
    assert printed.startswith("eosinophil")
    assert "97.00%" in printed
    assert "two.jpg" in printed
