"""Image sets by name, and the cross-validation of a small one."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ml.classes import CELL_CLASSES
from ml.cli import main
from ml.commands.crossvalidate import RESULT_NAME
from ml.errors import DatasetError
from ml.preprocessing import to_png
from ml.sources import of_classes, read_bccd_records, read_source
from ml.synthetic import render_cell

FIELDS = 8


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn cells laid out like PBC, and eight drawn fields laid out like BCCD, two a group."""
    root = tmp_path_factory.mktemp("data")
    rows: list[dict[str, object]] = []
    for index in range(48):
        label = CELL_CLASSES[index % 8]
        (root / "pbc" / label).mkdir(parents=True, exist_ok=True)
        (root / "pbc" / label / f"{index}.png").write_bytes(to_png(render_cell(label, index, 72)))
        name = f"{label}/{index}.png"
        rows.append({"file": name, "class": label, "subtype": "", "group": index})
    write_rows(root / "pbc" / "index.csv", rows)
    (root / "bccd" / "images").mkdir(parents=True)
    boxes: list[dict[str, object]] = []
    cells: list[dict[str, object]] = []
    for index in range(FIELDS):
        label, name = CELL_CLASSES[index % 4], f"{index}.png"
        picture = render_cell(label, 100 + index, 120)
        (root / "bccd" / "images" / name).write_bytes(to_png(picture))
        corners = {"xmin": 30, "ymin": 30, "xmax": 90, "ymax": 90}
        boxes.append({"file": name, "class": "WBC", **corners})
        cells.append({"file": name, "label": label, "group": index // 2})
    write_rows(root / "bccd" / "boxes.csv", boxes)
    write_rows(root / "bccd" / "cells.csv", cells)
    return root


def test_bccd_is_learned_from_but_for_a_part_and_examined_elsewhere(data: Path) -> None:
    folds = read_source("bccd", data, seed=3)
    assert folds["test"] == []
    assert {record.group for record in folds["train"]}.isdisjoint(
        record.group for record in folds["validation"]
    )
    assert sum(map(len, folds.values())) == FIELDS
    assert all(record.box for record in folds["train"])


def test_an_unknown_set_is_named(data: Path) -> None:
    with pytest.raises(DatasetError, match="No image set 'elsewhere'"):
        read_source("elsewhere", data, seed=3)


def test_only_the_classes_asked_for_are_kept(data: Path) -> None:
    found = of_classes(read_bccd_records(data), ("lymphocyte", "monocyte"))
    assert {record.label for record in found} == {"lymphocyte", "monocyte"}


def test_cross_validation_examines_every_cell_once(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("ml.commands.crossvalidate.imagenet_weights", lambda *_: None)
    arguments = ["--data", str(data), "--run-dir", str(tmp_path), "--folds", "2"]
    settings = ["--input-size", "48", "--epochs", "1", "--mix", "bccd=0.3"]
    assert main(["crossvalidate", *arguments, *settings]) == 0
    assert "balanced" in capsys.readouterr().out
    found = json.loads((tmp_path / RESULT_NAME).read_text())
    assert {cell["key"] for cell in found["cells"]} == {f"{n}.png" for n in range(FIELDS)}
    for margin, rows in found["probabilities"].items():
        assert len(rows) == FIELDS
        assert found["margins"][margin]["accuracy"]["n"] == FIELDS


def test_cross_validation_needs_one_set_to_examine(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crossvalidate", "--data", str(data), "--run-dir", str(tmp_path)]) == 1
    assert "--mix" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["bccd", "bccd=1", "bccd=0", "=0.2"])
def test_a_share_lies_between_none_and_all(data: Path, text: str) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--data", str(data), "--mix", text])
