"""Import, check and split, as a user runs them, on drawn cells."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.cli import main
from ml.data.catalogue import read_catalogue, read_folds, write_catalogue
from ml.data.pixels import load_pixels
from ml.preprocessing import to_png
from ml.synthetic import render_cell
from tests.ml.annotations import Pixels


def cell(label: str = "monocyte", seed: int = 1, size: int = 200) -> Pixels:
    return render_cell(label, seed=seed, size=size)


def save(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_png(pixels))


def run(*words: object) -> int:
    return main(["data", *map(str, words)])


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Two classes of six cells each, in folders named as sets name them."""
    root = tmp_path / "set"
    for name, label in (("MONOCYTES", "monocyte"), ("eos", "eosinophil")):
        for seed in range(6):
            save(root / name / f"{seed}.png", cell(label, seed))
    return root


def test_imports_class_folders_under_their_usual_names(folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("import", folders, "--kind", "folders", "--out", out, "--licence", "CC0") == 0
    entries = read_catalogue(out)
    assert {entry.label for entry in entries} == {"monocyte", "eosinophil"}
    assert {entry.licence for entry in entries} == {"CC0"}
    assert all(len(entry.sha256) == 64 and len(entry.phash) == 16 for entry in entries)
    assert len({entry.group for entry in entries}) == 12


def test_refuses_unknown_class_names_and_lists_them(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folders / "blobs" / "1.png", cell())
    assert run("import", folders, "--kind", "folders", "--out", tmp_path / "o") == 1
    assert "blobs" in capsys.readouterr().err


def test_refuses_a_set_without_a_licence(folders: Path, tmp_path: Path) -> None:
    assert run("import", folders, "--kind", "folders", "--out", tmp_path / "o") == 1
    assert not (tmp_path / "o" / "catalogue.csv").exists()


def test_groups_copies_and_names_what_conflicts_or_is_corrupt(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    original = cell("monocyte", 0)
    save(folders / "MONOCYTES" / "same.png", original)
    save(folders / "MONOCYTES" / "turned.png", np.ascontiguousarray(np.rot90(original)[:, ::-1]))
    shrunk = cv2.resize(original, (150, 150), interpolation=cv2.INTER_AREA)
    save(folders / "eos" / "wrong.png", np.asarray(shrunk, dtype=np.uint8))
    (folders / "eos" / "broken.png").write_bytes(to_png(original)[:900])
    out = tmp_path / "out"
    assert run("import", folders, "--kind", "folders", "--out", out, "--licence", "CC0") == 0
    text = capsys.readouterr().out
    group_of = {entry.key: entry.group for entry in read_catalogue(out)}
    names = ("MONOCYTES/0.png", "MONOCYTES/same.png", "MONOCYTES/turned.png", "eos/wrong.png")
    assert len({group_of[name] for name in names}) == 1
    assert len(set(group_of.values())) == 12
    assert "eos/broken.png" not in group_of
    assert "skipped   set/eos/broken.png" in text
    assert "conflict  set/MONOCYTES/" in text


def test_splits_by_group_and_loads_the_folds(folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("import", folders, "--kind", "folders", "--out", out, "--licence", "CC0", "--copy")
    assert run("split", out, "--shares", "70/15/15", "--seed", 3) == 0
    folds = read_folds(out)
    assert {name: len(fold) for name, fold in folds.items()} == {
        "train": 8, "validation": 2, "test": 2,
    }  # fmt: skip
    assert load_pixels(folds["test"], 64).shape == (2, 64, 64, 3)


def test_refuses_a_split_that_leaks_and_prints_the_pair(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run("import", folders, "--kind", "folders", "--out", out, "--licence", "CC0")
    run("split", out, "--seed", 3)
    assert run("check", out) == 0
    save(folders / "eos" / "again.png", cell("eosinophil", 0))
    entries = read_catalogue(out)
    known = next(entry for entry in entries if entry.key == "eos/0.png")
    again = {"key": "eos/again.png", "path": str(folders / "eos" / "again.png")}
    fold = "test" if known.fold != "test" else "train"
    fields = {name: getattr(known, name) for name in known.__slots__}
    double = type(known)(**{**fields, **again, "group": "own", "fold": fold})
    write_catalogue(out, [*entries, double])
    assert run("check", out) == 1
    streams = capsys.readouterr()
    assert "LEAK      set/eos/0.png" in streams.out
    assert "leaks" in streams.err


def test_refuses_to_split_what_was_not_checked(folders: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    out = tmp_path / "out"
    run("import", folders, "--kind", "folders", "--out", out, "--licence", "CC0")
    write_catalogue(out, [replace(entry, sha256="") for entry in read_catalogue(out)])
    assert run("split", out, "--seed", 1) == 1


def test_kaggle_copies_are_grouped_by_looks_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "dataset2-master" / "images"
    picture = cell("eosinophil", 4)
    save(root / "TRAIN" / "EOSINOPHIL" / "_0_1.png", picture)
    save(root / "TEST" / "EOSINOPHIL" / "_9_2.png", np.ascontiguousarray(picture[::-1]))
    save(root / "TEST" / "NEUTROPHIL" / "_0_3.png", cell("neutrophil", 5))
    assert run("import", tmp_path, "--kind", "kaggle", "--out", tmp_path / "out") == 0
    assert "348 BCCD fields" in capsys.readouterr().err
    groups = [entry.group for entry in read_catalogue(tmp_path / "out")]
    assert len(set(groups)) == 2


def test_medmnist_keeps_its_class_order(tmp_path: Path) -> None:
    pictures = np.stack([cell(seed=seed, size=28) for seed in range(8)])
    labels = np.arange(8, dtype=np.uint8)[:, None]
    arrays: dict[str, Pixels] = {}
    for part, rows in (("train", slice(0, 4)), ("val", slice(4, 6)), ("test", slice(6, 8))):
        arrays |= {f"{part}_images": pictures[rows], f"{part}_labels": labels[rows]}
    np.savez(tmp_path / "bloodmnist.npz", allow_pickle=False, **arrays)
    out = tmp_path / "out"
    assert run("import", tmp_path / "bloodmnist.npz", "--kind", "medmnist", "--out", out) == 0
    assert [entry.label for entry in read_catalogue(out)] == [
        "basophil", "eosinophil", "erythroblast", "immature_granulocyte",
        "lymphocyte", "monocyte", "neutrophil", "platelet",
    ]  # fmt: skip


def test_bccd_annotations_give_boxes_and_groups_by_field(tmp_path: Path) -> None:
    save(tmp_path / "JPEGImages" / "f1.png", cell(size=300))
    boxes = {"Neutrophil": (20, 30, 120, 140), "Platelets": (150, 150, 190, 180),
             "RBC": (0, 0, 50, 50), "monocyte": (5, 5, 5, 5)}  # fmt: skip
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin>"
        f"<xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for name, (a, b, c, d) in boxes.items()
    )
    notes = tmp_path / "Annotations" / "f1.xml"
    notes.parent.mkdir()
    notes.write_text(f"<annotation><filename>f1.png</filename>{objects}</annotation>")
    out = tmp_path / "out"
    assert run("import", tmp_path, "--kind", "bccd", "--out", out) == 0
    entries = read_catalogue(out)
    assert [(e.label, e.box) for e in entries] == [
        ("neutrophil", "20 30 120 140"), ("platelet", "150 150 190 180"),
    ]  # fmt: skip
    assert len({entry.group for entry in entries}) == 1


def test_reviewed_cases_need_consent_and_group_by_patient(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = []
    for seed, (patient, consent) in enumerate([("p1", True), ("p1", True), ("p2", False)]):
        save(tmp_path / f"{seed}.png", cell(seed=seed))
        rows.append({"file": f"{seed}.png", "label": "monocyte", "case": str(seed),
                     "patient": patient, "consent": consent, "licence": "local"})  # fmt: skip
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    assert run("import", manifest, "--kind", "reviewed", "--out", tmp_path / "out") == 0
    assert [e.group for e in read_catalogue(tmp_path / "out")] == ["reviewed:p1"] * 2
    assert "1  without consent" in capsys.readouterr().out
