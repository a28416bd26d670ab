"""`manage.py classify`: one line an image, whatever the image."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image
from pytest_django.fixtures import Settings

from classifier import inference
from classifier.management.commands import classify
from ml.artifacts import WEIGHTS_NAME
from ml.classes import CELL_CLASSES, UNIDENTIFIED
from ml.fake import FakeClassifier
from ml.preprocessing import to_png
from ml.synthetic import render_cell, render_field
from ml.types import Prediction
from tests.ml.annotations import Pixels


@pytest.fixture(autouse=True)
def fake_model(monkeypatch: pytest.MonkeyPatch) -> FakeClassifier:
    """Classify by the stand-in; its answers are checked, not the network's."""
    fake = FakeClassifier(["eosinophil"])
    monkeypatch.setattr(classify, "get_classifier", lambda: fake)
    return fake


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good cells in nested folders, a field, and files that are no good at all."""
    nested = tmp_path / "slides" / "b ä"
    nested.mkdir(parents=True)
    (nested / "ONE.PNG").write_bytes(to_png(render_cell("eosinophil", 1, 96)))
    (tmp_path / "slides" / "two.jpg").write_bytes(to_png(render_cell("basophil", 2, 96)))
    (tmp_path / "slides" / "field.png").write_bytes(to_png(render_field(3, 640, 480, 3, 55)))
    (tmp_path / "slides" / "letter.jpg").write_text("not an image")
    (tmp_path / "slides" / "empty.tif").touch()
    (tmp_path / "slides" / "notes.txt").write_text("ignored")
    (tmp_path / "slides" / ".hidden.png").write_bytes(b"")
    return tmp_path / "slides"


def run(*arguments: object, code: int = 0) -> list[dict]:
    """Run with --json; check the exit status, and give the parsed lines."""
    out = io.StringIO()
    words = [str(argument) for argument in arguments]
    if code:
        with pytest.raises(SystemExit) as caught:
            call_command("classify", *words, "--json", stdout=out)
        assert caught.value.code == code
    else:
        call_command("classify", *words, "--json", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


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
    assert names == ["empty.tif", "field.png", "letter.jpg", "two.jpg", "ONE.PNG"]
    failed = {Path(line["file"]).name: line for line in lines if "error" in line}
    assert set(failed) == {"empty.tif", "field.png", "letter.jpg"}
    assert all(set(line) == {"file", "error"} for line in failed.values())
    assert "field" in failed["field.png"]["error"]


def test_the_kind_can_be_insisted_on(folder: Path) -> None:
    assert run(folder / "field.png", "--kind", "cell")[0]["kind"] == "cell"
    assert "field" in run(folder / "two.jpg", "--kind", "field", code=1)[0]["error"]


def test_a_referred_cell_is_unidentified(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "get_classifier", lambda: FakeClassifier([UNIDENTIFIED]))
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

    monkeypatch.setattr(classify, "get_classifier", Counting)
    for index in range(70):
        cell = render_cell(CELL_CLASSES[index % 8], index, 40)
        (tmp_path / f"{index:03}.png").write_bytes(to_png(cell))
    lines = run(tmp_path)
    assert sizes == [32, 32, 6]
    assert [Path(line["file"]).stem for line in lines] == [f"{index:03}" for index in range(70)]


def test_large_images_make_small_batches() -> None:
    items = [
        classify.Item(Path(str(index)), pixels=np.zeros((5000, 6000, 3), dtype=np.uint8))
        for index in range(3)
    ]
    batches = list(classify.group(items))
    assert [len(batch) for batch in batches] == [2, 1]


def test_prints_a_line_for_people_without_json(folder: Path) -> None:
    out = io.StringIO()
    call_command("classify", str(folder / "two.jpg"), stdout=out)
    assert out.getvalue().startswith("eosinophil")
    assert "97.00%" in out.getvalue()
    assert "two.jpg" in out.getvalue()


def test_a_tampered_release_stops_the_command(
    folder: Path,
    tiny_release: Path,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = Path(shutil.copytree(tiny_release, tmp_path / "tampered"))
    with (release / WEIGHTS_NAME).open("ab") as stream:
        stream.write(b"!")
    settings.MODEL_RELEASE = release
    monkeypatch.setattr(classify, "get_classifier", inference.get_classifier)
    with pytest.raises(CommandError, match="is not the released model"):
        call_command("classify", str(folder / "two.jpg"), "--json", stdout=io.StringIO())


def test_the_release_is_loaded_once_a_process(tiny_release: Path, settings: Settings) -> None:
    settings.MODEL_RELEASE = tiny_release
    assert inference.active_release().name == "tiny"
    assert inference.get_classifier() is inference.get_classifier()
