"""Retraining a head: near what it was, split by patient, into a release that serves."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.card import render_card
from ml.cli import main
from ml.conformal import carry_threshold
from ml.embedding import EMBEDDING_SIZE
from ml.errors import DatasetError
from ml.head_fitting import DenseLayer, class_weights, fit_layer
from ml.inference import load_classifier
from ml.preprocessing import to_png
from ml.probing import probe
from ml.retraining import retrain
from ml.synthetic import render_cell
from ml.training_sets import (
    SetCell,
    TrainingSet,
    digest_of_cells,
    next_version,
    read_set,
    write_set,
)

PATIENTS = 6
NAMES = ("neutrophil", "lymphocyte", "monocyte")


@pytest.fixture
def drawn_set(tmp_path: Path) -> Path:
    """Sixty drawn cells of six patients."""
    folder = tmp_path / "set"
    folder.mkdir()
    return make_set(folder, 60)


def make_set(folder: Path, count: int) -> Path:
    cells = []
    for number in range(count):
        label, name = NAMES[number % len(NAMES)], f"{number}.png"
        data = to_png(render_cell(label, seed=number, size=96))
        (folder / name).write_bytes(data)
        cells.append(SetCell(name, name, label, f"p{number % PATIENTS}", sha256(data).hexdigest()))
    found = TrainingSet("training set 1", "drawn", "CC0", digest_of_cells(cells), tuple(cells))
    write_set(folder, found)
    return folder


class TestFitting:
    def test_what_the_cells_do_not_speak_of_stays(self) -> None:
        start = DenseLayer(np.eye(4, 3), np.zeros(3))
        features = np.random.default_rng(1).normal(size=(40, 4)).astype(np.float32)
        features[:, 3] = 0.0
        labels = np.arange(40) % 2
        layer = fit_layer(start, features, labels, class_weights(labels))
        np.testing.assert_allclose(layer.kernel[3], start.kernel[3], atol=1e-6)
        assert not np.allclose(layer.kernel[0], start.kernel[0])

    def test_a_strong_anchor_holds_the_layer_and_a_weak_one_learns(self) -> None:
        start = DenseLayer(np.zeros((2, 2)), np.zeros(2))
        features = np.array([[1, 0], [0, 1]] * 30, dtype=np.float32)
        labels = np.array([0, 1] * 30)
        held = fit_layer(start, features, labels, class_weights(labels), anchor=1e6)
        learned = fit_layer(start, features, labels, class_weights(labels), anchor=1e-3)
        np.testing.assert_allclose(held.kernel, 0.0, atol=1e-4)
        assert (learned.logits(features).argmax(axis=1) == labels).all()

    def test_frequent_classes_count_as_much_as_others_and_rare_ones_less(self) -> None:
        labels = np.array([0] * 500 + [1] * 50 + [2] * 5)
        weights = class_weights(labels)
        totals = [weights[labels == label].sum() for label in range(3)]
        np.testing.assert_allclose(totals, [1.0, 1.0, 0.2])

    def test_a_threshold_keeps_its_rank_among_the_kept_cells(self) -> None:
        before, after = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.2, 0.3, 0.5, 0.9])
        assert carry_threshold(0.35, before, after) == 0.5
        assert carry_threshold(0.95, before, after) == 0.95
        assert carry_threshold(None, before, after) is None


class TestSets:
    def test_a_set_of_other_pictures_or_labels_is_refused(self, tmp_path: Path) -> None:
        folder = make_set(tmp_path, 6)
        manifest = folder / "training_set.json"
        fields = json.loads(manifest.read_text())
        fields["cells"][0]["label"] = "basophil"
        manifest.write_text(json.dumps(fields))
        with pytest.raises(DatasetError, match="its hash names"):
            read_set(folder)
        make_set(tmp_path, 6)
        (folder / "0.png").write_bytes(b"another")
        with pytest.raises(DatasetError, match="not the one that was frozen"):
            read_set(folder)

    def test_too_few_patients_are_refused_in_words(self, tmp_path: Path) -> None:
        folder = make_set(tmp_path, 12)
        with pytest.raises(DatasetError, match="at least 50 cells of 5 patients"):
            retrain(DEFAULT_RELEASE, folder, tmp_path / "out", version="2.0.0")


def test_versions_go_on_in_the_laboratory_s_own_line() -> None:
    assert next_version("1.3.0") == "1.3.0+lab.1"
    assert next_version("1.3.0+lab.9") == "1.3.0+lab.10"


@pytest.mark.real_model
def test_the_command_makes_a_release_that_serves_and_says_what_it_is(
    drawn_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "release"
    assert main(["retrain", "--set", str(drawn_set), "--out", str(out)]) == 0
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[:1] == "{"]
    assert {"step": "Looking at the cells", "done": 60, "total": 60} in steps
    base, spec = read_spec(DEFAULT_RELEASE), read_spec(out)
    assert (spec.name, spec.version) == (base.name, f"{base.version}+lab.1")
    assert spec.sha256 != base.sha256
    assert spec.training["retrained"]["set"]["patients"] == PATIENTS
    assert spec.data["sources"][-1]["folds"] == {"train": 60}
    assert probe(out).explains
    card = render_card(spec)
    assert "untouched test fold" not in card
    assert "neutrophil 20" in card
    cell = [render_cell("lymphocyte", seed=7, size=96)]
    before, after = (load_classifier(each).classify(cell)[0] for each in (DEFAULT_RELEASE, out))
    assert before.embedding is not None
    assert after.embedding is not None
    assert len(after.embedding) == EMBEDDING_SIZE
    np.testing.assert_allclose(before.embedding, after.embedding, atol=2e-3)
