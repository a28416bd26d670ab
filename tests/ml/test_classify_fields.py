"""`manage.py classify` on fields: every cell listed, and each white cell counted once."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifier import inference
from classifier.command_line.fields import read
from classifier.command_line.files import ImageFile, read_item
from ml.classes import CELL_CLASSES
from ml.detection.artifact import DetectorSpec
from ml.detection.inference import ServedDetector
from ml.detection.objects import KINDS, RED_CELL, STRIDE
from ml.fake import FakeClassifier
from ml.preprocessing import to_png
from ml.synthetic import render_cell
from ml.types import Prediction
from tests.ml.annotations import Pixels
from tests.ml.classifying import Line, run, run_as_text
from tests.ml.detection.drawing import DrawnField, draw_field, see_discs

RED_CELLS, WHITE_CELLS = "erythrocyte", "neutrophil"


@pytest.fixture(autouse=True)
def disc_model(monkeypatch: pytest.MonkeyPatch) -> ServedDetector:
    """Find by a network that sees discs, and call all white ones neutrophils."""
    spec = DetectorSpec(
        name="discs",
        version="0.1.0",
        architecture="none",
        kinds=KINDS,
        stride=STRIDE,
        red_cell=RED_CELL,
        sha256="",
        thresholds=dict.fromkeys(KINDS, 0.5),
        metrics={},
        data={},
        training={},
    )
    detector = ServedDetector(spec, see_discs)
    fake = FakeClassifier([WHITE_CELLS])
    monkeypatch.setattr(inference, "_load_detector", lambda release_dir: detector)
    monkeypatch.setattr(inference, "_load", lambda release_dir: fake)
    return detector


@pytest.fixture(scope="module")
def smear() -> DrawnField:
    """Discs over 960 x 480 pixels; its halves share none, wider views a third of it."""
    return draw_field(0, 960, 480, red_cell=60)


@pytest.fixture
def case(tmp_path: Path, smear: DrawnField) -> Path:
    """Two views of one smear that share its middle third."""
    folder = tmp_path / "case"
    write_views(folder, smear.pixels, {"a.png": (0, 640), "b.png": (320, 960)})
    return folder


def write_views(folder: Path, pixels: Pixels, views: dict[str, tuple[int, int]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (left, right) in views.items():
        view = np.ascontiguousarray(pixels[:, left:right])
        if name.endswith(".png"):
            (folder / name).write_bytes(to_png(view))
        else:
            Image.fromarray(view).save(folder / name, quality=95)


def white(line: Line) -> list[Line]:
    return [cell for cell in line["cells"] if "probabilities" in cell]


def counted(lines: Sequence[Line]) -> list[Line]:
    return [
        cell for line in lines for cell in white(line) if not (cell["at_edge"] or cell["repeat_of"])
    ]


def test_describes_a_field_as_specified(case: Path) -> None:
    path = case / "a.png"
    (line,) = run(path, "--kind", "field")
    cells = line.pop("cells")
    assert line.pop("seconds") > 0
    assert line.pop("red_cell")["diameter"] == pytest.approx(60, rel=0.06)
    assert line == {
        "file": str(path),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "kind": "field",
        "model": {"name": FakeClassifier.name, "version": FakeClassifier.version},
        "detector": {"name": "discs", "version": "0.1.0"},
    }
    assert [cell["index"] for cell in cells] == list(range(len(cells)))
    assert {cell["type"] for cell in cells} == {RED_CELLS, WHITE_CELLS, "platelet"}


def test_every_disc_is_listed_with_what_belongs_to_its_kind(case: Path, smear: DrawnField) -> None:
    (line,) = run(case / "a.png", "--kind", "field")
    inside = smear.boxes[smear.boxes[:, 2] <= 640]
    boxes = np.array([cell["box"] for cell in line["cells"]])
    assert all(np.abs(boxes - box).max(axis=1).min() <= 4 for box in inside)
    every = {"index", "box", "type", "detection_confidence", "at_edge", "repeat_of"}
    named = {"confidence", "probabilities", "referred", "candidates", "likeliest", "oddness"}
    for cell in line["cells"]:
        assert set(cell) == (every | named if cell["type"] == WHITE_CELLS else every)
        assert 0.5 <= cell["detection_confidence"] <= 1.0
    for cell in white(line):
        assert set(cell["probabilities"]) == set(CELL_CLASSES)


def test_a_white_cell_of_two_fields_is_counted_once(case: Path, smear: DrawnField) -> None:
    lines = run(case, "--kind", "field")
    assert [Path(line["file"]).name for line in lines] == ["a.png", "b.png"]
    repeats = [(line, cell) for line in lines for cell in white(line) if cell["repeat_of"]]
    assert repeats
    by_file = {line["file"]: line for line in lines}
    for line, cell in repeats:
        other = by_file[cell["repeat_of"]["file"]]["cells"][cell["repeat_of"]["cell"]]
        assert other["type"] == WHITE_CELLS
        assert other["repeat_of"] is None
        assert cell["at_edge"] or not other["at_edge"]
        shift = -320 if Path(line["file"]).name == "a.png" else 320
        moved = np.array(cell["box"]) + np.array([shift, 0, shift, 0])
        assert np.abs((moved - other["box"])[[1, 3]]).max() <= 4
    drawn = smear.boxes[smear.kinds == KINDS.index("leukocyte")]
    whole = ((drawn > 3) & (drawn < [957, 477, 957, 477])).all(axis=1)
    assert len(counted(lines)) == whole.sum()


def test_a_cell_cut_by_the_edge_gives_way_to_the_whole_one(case: Path) -> None:
    for line in run(case, "--kind", "field"):
        for cell in line["cells"]:
            x0, y0, x1, y1 = cell["box"]
            assert cell["at_edge"] == (min(x0, y0, 640 - x1, 480 - y1) <= 3)


def test_fields_of_other_folders_are_other_cases(tmp_path: Path, smear: DrawnField) -> None:
    write_views(tmp_path / "one", smear.pixels, {"a.png": (0, 640)})
    write_views(tmp_path / "two", smear.pixels, {"b.png": (320, 960)})
    lines = run(tmp_path, "--kind", "field")
    assert [cell["repeat_of"] for line in lines for cell in line["cells"]].count(None) == sum(
        len(line["cells"]) for line in lines
    )


def test_fields_named_one_by_one_are_a_case_if_they_lie_in_one_folder(case: Path) -> None:
    lines = run(case / "b.png", case / "a.png", "--kind", "field")
    assert [Path(line["file"]).name for line in lines] == ["b.png", "a.png"]
    assert any(cell["repeat_of"] for line in lines for cell in line["cells"])


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.bmp", "a.webp"])
def test_fields_of_every_format_are_read(tmp_path: Path, smear: DrawnField, name: str) -> None:
    write_views(tmp_path, smear.pixels, {name: (0, 640)})
    (line,) = run(tmp_path, "--kind", "field")
    assert len(white(line)) >= 3


@pytest.mark.parametrize("shape", [(24, 24), (480, 640), (24, 3000), (3000, 24)])
def test_a_grey_field_of_any_shape_without_cells_has_none(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    Image.fromarray(np.full(shape, 230, dtype=np.uint8)).save(tmp_path / "grey.png")
    (line,) = run(tmp_path, "--kind", "field", "--differential")[:1]
    assert line["cells"] == []
    assert line["red_cell"]["basis"] == "picture"


def test_bad_files_spoil_no_good_ones_and_keep_their_place(case: Path) -> None:
    (case / "a_cut.png").write_bytes((case / "a.png").read_bytes()[:5000])
    (case / "aa.jpg").write_text("not an image")
    lines = run(case, "--kind", "field", code=1)
    assert [Path(line["file"]).name for line in lines] == ["a.png", "a_cut.png", "aa.jpg", "b.png"]
    assert ["error" in line for line in lines] == [False, True, True, False]
    assert all(set(line) == {"file", "error"} for line in lines[1:3])
    assert any(cell["repeat_of"] for cell in lines[3]["cells"])


def test_a_field_that_breaks_the_program_is_told_and_the_others_are_read(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaking(FakeClassifier):
        calls = 0

        def classify(self, images: Sequence[Pixels]) -> list[Prediction]:
            self.calls += 1
            if self.calls == 1:
                raise ValueError("broken")
            return super().classify(images)

    breaking = Breaking()
    monkeypatch.setattr(inference, "_load", lambda release_dir: breaking)
    lines = run(case, "--kind", "field", code=1)
    assert ["error" in line for line in lines] == [True, False]


def test_cells_stream_while_the_fields_beside_them_wait(case: Path) -> None:
    (case / "cell.png").write_bytes(to_png(render_cell("basophil", 2, 96)))
    lines = run(case)
    assert [(Path(line["file"]).name, line["kind"]) for line in lines] == [
        ("cell.png", "cell"),
        ("a.png", "field"),
        ("b.png", "field"),
    ]


def test_the_differential_counts_each_white_cell_once(case: Path, smear: DrawnField) -> None:
    *lines, last = run(case, "--kind", "field", "--differential")
    found = last["differential"]
    cells = counted(lines)
    assert found["path"] == str(case)
    assert (found["fields"], found["single_cells"], found["failed"]) == (2, 0, 0)
    assert found["leukocytes"] == len(cells)
    assert found["classes"][WHITE_CELLS]["count"] == len(cells)
    assert found["classes"][WHITE_CELLS]["percent"] == 100.0
    repeats = sum(bool(cell["repeat_of"]) for line in lines for cell in white(line))
    assert found["not_counted"]["repeats"] == repeats > 0
    left_out = sum(found["not_counted"].values())
    assert left_out + len(cells) == sum(len(white(line)) for line in lines)
    red = sum(cell["type"] == RED_CELLS for line in lines for cell in line["cells"])
    assert (found["erythrocytes"], found["erythrocytes_per_field"]) == (red, red / 2)


def test_each_folder_named_has_a_differential_and_all_files_named_have_one(
    tmp_path: Path, case: Path
) -> None:
    for index in range(7):
        cell = tmp_path / f"{index}.png"
        cell.write_bytes(to_png(render_cell("basophil", index, 96)))
    files = sorted(tmp_path.glob("*.png"))
    found = [
        line["differential"]
        for line in run(case, *files, "--differential")
        if "differential" in line
    ]
    assert [(each["path"], each["fields"], each["single_cells"]) for each in found] == [
        (str(case), 2, 0),
        (None, 0, 7),
    ]
    assert found[1]["erythrocytes_per_field"] is None


def test_people_read_a_line_a_field_and_a_table(case: Path) -> None:
    printed = run_as_text(case, "--kind", "field", "--differential").splitlines()
    assert printed[0].startswith("field")
    assert "a.png: " in printed[0]
    assert "neutrophil" in printed[0]
    assert "red cells" in printed[0]
    assert printed[2].startswith(f"differential of {case}: ")
    assert any(row.split()[:1] == ["neutrophil"] and "100.0 %" in row for row in printed)


def test_what_is_kept_of_a_field_does_not_grow_with_its_pixels(
    tmp_path: Path, smear: DrawnField
) -> None:
    large = np.kron(smear.pixels, np.ones((3, 3, 1), dtype=np.uint8))
    path = tmp_path / "large.png"
    path.write_bytes(to_png(large))
    kept = read(read_item(ImageFile(path), "field"))
    assert kept.features is not None
    assert len(pickle.dumps(kept)) < 200_000 < large.nbytes
    for array in (kept.features.points, kept.features.descriptors, kept.features.small):
        assert array.base is None or array.base.nbytes == array.nbytes
