"""The page and its JSON: complete, self-contained, safe and free of NaN."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.cli import main
from ml.data.records import Record, fingerprint
from ml.errors import DatasetError
from ml.preprocessing import to_png
from ml.report import plots
from ml.report.comparison import compare
from ml.report.document import SCHEMA, describe, make_document
from ml.report.figures import examine_subject
from ml.report.page import render_page
from ml.report.sources import Source, find_sources, limit
from ml.report.subject import Subject
from ml.sources import of_classes
from ml.synthetic import render_cell

SPEC = read_spec(DEFAULT_RELEASE)
BARE = replace(SPEC, referral=None, confusion_of_accepted=None)
"""Without what only fits its own classes."""
NAMES = ("neutrophil", "monocyte")
HOSTILE = "<script>alert(1)</script>.png"


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Forty cells of five of the eight classes, some misnamed, one with a hostile name."""
    path = tmp_path_factory.mktemp("cells") / "cell.png"
    path.write_bytes(to_png(render_cell("monocyte", seed=1, size=72)))
    rng = np.random.default_rng(4)
    truth = np.arange(40) % 5
    logits = rng.normal(size=(40, 8))
    logits[np.arange(40), truth] += 1.5
    powers = np.exp(logits)
    records = [
        Record(path, SPEC.class_names[label], group=str(index // 2), key=HOSTILE)
        for index, label in enumerate(truth)
    ]
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    accepted = probabilities.max(axis=1) > 0.5
    return Subject("drawn", records, SPEC.class_names, probabilities, accepted, note="Drawn.")


@pytest.fixture(scope="module")
def page(subject: Subject) -> str:
    comparison = {
        "release": describe(SPEC),
        "sources": [
            {"name": subject.name, "note": "", "other_note": "", **compare(subject, subject)}
        ],
    }
    document = make_document(
        SPEC,
        [examine_subject(subject, subject)],
        command="python -m ml evaluate",
        calibration=None,
        comparison=comparison,
    )
    return render_page(json.loads(json.dumps(document, allow_nan=False)), [subject])


def test_needs_nothing_from_elsewhere(page: str) -> None:
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:image/jpeg|#)', page)
    assert "@import" not in page
    assert "url(" not in page.replace("url(#", "")


def test_escapes_file_names(page: str) -> None:
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_shows_every_part(page: str) -> None:
    for part in ("Confusion", "Reliability", "Conformal sets", "Worst errors", "McNemar"):
        assert part in page
    assert "Among the 5 classes that occur" in page
    assert page.count("<svg") == 4 + len(plots.history(SPEC.training["history"]))
    assert "#010101" not in page
    assert "nan" not in re.sub(r"base64,[^\"]+", "", page)


def test_no_error_and_no_calibration_are_said(subject: Subject) -> None:
    sure = replace(subject, probabilities=np.eye(8)[subject.truth] * 0.92 + 0.01)
    figures = examine_subject(sure, None)
    document = make_document(
        replace(SPEC, training={}), [figures], command="", calibration=None, comparison=None
    )
    text = render_page(document, [sure])
    assert "No cell is misnamed." in text
    assert "Conformal sets" not in text


@pytest.mark.real_model
def test_the_command_reports_on_a_folder_of_class_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(("neutrophil", "Lymphocytes", "EOS", "neutrophil", "EOS")):
        folder = tmp_path / "set" / name
        folder.mkdir(parents=True, exist_ok=True)
        picture = render_cell("neutrophil", seed=number, size=96)
        (folder / f"{number}.png").write_bytes(to_png(picture))
    out = tmp_path / "out"
    release = ["--release", str(DEFAULT_RELEASE), "--compare", str(DEFAULT_RELEASE)]
    places = ["--data", str(tmp_path), "--on", str(tmp_path / "set"), "--out", str(out)]
    assert main(["evaluate", *release, *places]) == 0
    printed = capsys.readouterr().out
    assert "cells     5" in printed
    assert "McNemar p = 1" in printed
    document = json.loads((out / "report.json").read_text())
    assert document["schema"] == SCHEMA
    assert document["release"]["sha256"] == SPEC.sha256
    (source,) = document["sources"]
    assert source["conformal"] is None
    assert source["occurring_classes"]["class_names"] == ["neutrophil", "lymphocyte", "eosinophil"]
    assert (out / "report.html").read_text().startswith("<!doctype html>")


def test_looks_at_the_classes_asked_for(subject: Subject) -> None:
    source = Source("drawn", subject.records, left_out=3)
    found = limit(source, ["monocyte", "basophil"])
    assert {record.label for record in found.records} == {"monocyte", "basophil"}
    assert found.left_out + len(found.records) == 43
    with pytest.raises(DatasetError, match="platelet"):
        limit(source, ["platelet"])


def test_warns_where_the_folds_are_not_known(tmp_path: Path) -> None:
    rows = [f"{name}/{index}.png,{name},{name}{index}" for name in NAMES for index in range(20)]
    (tmp_path / "pbc").mkdir()
    (tmp_path / "pbc" / "index.csv").write_text("\n".join(["file,class,group", *rows]) + "\n")
    silent = replace(SPEC, training={}, data={})
    (found,) = find_sources("validation", silent, tmp_path, margins=())
    assert "names no folds" in found.note
    (other,) = find_sources("validation", SPEC, tmp_path, margins=())
    assert "is not the one named" in other.note
    for names in (NAMES, NAMES[:1]):
        kept = of_classes(found.records, names)
        data = {"fingerprints": {"validation": fingerprint(kept)}}
        known = replace(BARE, class_names=("platelet", *names), data=data)
        (same,) = find_sources("validation", known, tmp_path, margins=())
        assert same.note == ""


def test_the_command_says_what_it_cannot_find(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = ["--data", str(tmp_path), "--on", str(tmp_path / "nowhere")]
    assert main(["evaluate", *nowhere]) == 1
    assert "is not a folder" in capsys.readouterr().err
