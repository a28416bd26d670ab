"""`python -m ml adapt`: from drawn cells of a laboratory to a whole release that serves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import CARD_NAME, DEFAULT_RELEASE, read_spec, verify
from ml.calibration import softmax
from ml.cli import main
from ml.engine import open_engine
from ml.inference import load_classifier, read_statistics
from ml.keras_release import read_layer
from ml.looking import look_at_pictures
from ml.preprocessing import to_png
from ml.probing import probe
from ml.synthetic import render_cell

pytestmark = pytest.mark.real_model

CLASSES = ("neutrophil", "lymphocyte", "eosinophil")
EACH = 36


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder a class of drawn cells, and too few monocytes."""
    root = tmp_path_factory.mktemp("laboratory")
    counts = {**dict.fromkeys(CLASSES, EACH), "monocyte": 4}
    for name, count in counts.items():
        (root / name).mkdir()
        for number in range(count):
            picture = render_cell(name, seed=500 + number, size=120)
            (root / name / f"{number}.png").write_bytes(to_png(picture))
    return root


@pytest.fixture(scope="module")
def adapted(cells: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("adapted") / "release"
    told = ["adapt", "--cells", str(cells), "--out", str(out), "--version", "1.3.0+north.1"]
    assert main([*told, "--laboratory", "North"]) == 0
    return out


def test_the_release_is_whole_and_serves(adapted: Path) -> None:
    spec = verify(adapted)
    assert (spec.name, spec.version) == ("cells8-mobilenetv2", "1.3.0+north.1")
    assert spec.sha256 != read_spec(DEFAULT_RELEASE).sha256
    found = probe(adapted)
    assert found.explains
    assert read_statistics(adapted, spec) is not None


def test_what_serves_is_the_head_that_was_fitted(adapted: Path) -> None:
    spec, picture = read_spec(adapted), render_cell("monocyte", seed=9, size=120)
    seen = look_at_pictures(
        *open_engine(adapted), lambda _: picture, np.zeros(1, np.int64), np.zeros(1, np.int64)
    )
    logits = seen.logits(read_layer(adapted), spec.closer)
    expected = softmax(logits, spec.temperature)[0]
    served = load_classifier(adapted).classify([picture])[0]
    found = [served.probabilities[name] for name in spec.class_names]
    assert found == pytest.approx(expected.tolist(), abs=1e-4)


def test_the_card_says_from_what_on_which_cells_and_what_it_gave(adapted: Path) -> None:
    card = (adapted / CARD_NAME).read_text(encoding="utf-8")
    assert "## Adapted to North" in card
    assert read_spec(DEFAULT_RELEASE).sha256 in card
    assert f"| lymphocyte | {EACH} | {EACH} |" in card
    assert "4 monocyte" in card
    assert "Each picture is its own group" in card
    assert "### Before and after" in card
    assert "untouched test fold" not in card


def test_the_spec_names_the_cells_and_claims_no_other_figures(adapted: Path) -> None:
    spec, old = read_spec(adapted), read_spec(DEFAULT_RELEASE)
    told = spec.metrics["adaptation"]
    assert told["from"]["version"] == old.version
    assert told["left_out"] == {"monocyte": 4}
    assert set(spec.metrics) == {"adaptation", "morphology"}
    assert spec.data["sources"][:-1] == old.data["sources"]
    assert spec.data["sources"][-1]["folds"] == {"adaptation": EACH * len(CLASSES)}
    assert "basophil" in told["carried"]
    assert spec.confusion_of_accepted is not None


def test_a_folder_in_use_and_too_few_cells_are_refused(
    adapted: Path, cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["adapt", "--version", "2", "--cells"]
    assert main([*told, str(cells), "--out", str(adapted)]) == 1
    assert "is not empty" in capsys.readouterr().err
    (tmp_path / "neutrophil").mkdir()
    picture = to_png(render_cell("neutrophil", seed=1, size=96))
    (tmp_path / "neutrophil" / "1.png").write_bytes(picture)
    assert main([*told, str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "Too few cells to adapt to" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
