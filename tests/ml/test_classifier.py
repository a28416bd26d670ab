"""The serving classifier: order, batches, referral, and what it loads when."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.artifacts import read_spec, write_spec
from ml.calibration import softmax
from ml.classes import CELL_CLASSES, UNIDENTIFIED
from ml.engine import Engine
from ml.fake import FakeClassifier
from ml.inference import ServedClassifier, load_classifier
from ml.keras_release import load_model
from ml.looks import CloserLook
from ml.preprocessing import to_input
from ml.serving_form import read_served
from ml.synthetic import render_cell
from ml.types import Prediction
from tests.ml.annotations import Pixels


@pytest.fixture(scope="module")
def images() -> list[Pixels]:
    """Twelve cells of different sizes and shapes."""
    shapes = [(96, 96), (200, 150), (64, 64), (30, 90)]
    return [
        render_cell(CELL_CLASSES[i % 8], i, 200)[: shapes[i % 4][0], : shapes[i % 4][1]]
        for i in range(12)
    ]


@pytest.fixture(scope="module")
def classifier(tiny_release: Path) -> ServedClassifier:
    return load_classifier(tiny_release)


def rows(predictions: list[Prediction], names: tuple[str, ...]) -> NDArray[np.float64]:
    return np.array([[each.probabilities[name] for name in names] for each in predictions])


def test_class_order_comes_from_the_spec(
    classifier: ServedClassifier, tiny_release: Path, images: list[Pixels]
) -> None:
    assert classifier.class_names == tuple(reversed(CELL_CLASSES))
    _, model = load_model(tiny_release)
    tensor = np.stack([to_input(image, 64) for image in images])
    expected = softmax(model.predict(tensor, verbose=0))
    found = rows(classifier.classify(images), classifier.class_names)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_image_gets_the_same_answer_in_any_batch(
    classifier: ServedClassifier, images: list[Pixels]
) -> None:
    together = rows(classifier.classify(images * 3), CELL_CLASSES)
    alone = rows([classifier.classify([image])[0] for image in images], CELL_CLASSES)
    np.testing.assert_array_equal(together, np.tile(alone, (3, 1)))


def test_a_cell_in_doubt_is_looked_at_closer_and_both_looks_averaged(
    tiny_release: Path, images: list[Pixels], tmp_path: Path
) -> None:
    release = Path(shutil.copytree(tiny_release, tmp_path / "release"))
    first = load_classifier(release).examine(images)
    doubt = np.array([softmax(each.logits[np.newaxis]).max() for each in first])
    closer = CloserLook(size=96, temperature=1.0, below=float(np.median(doubt)))
    write_spec(release, replace(read_spec(release), closer=closer))
    _, model = load_model(release)
    for image, one, found, confidence in zip(
        images, first, load_classifier(release).examine(images), doubt, strict=True
    ):
        again = model.predict(to_input(image, 96)[np.newaxis], verbose=0)[0]
        expected = (one.logits + again) / 2 if confidence < closer.below else one.logits
        np.testing.assert_allclose(found.logits, expected, atol=1e-4)
        np.testing.assert_allclose(found.maps.mean(axis=(0, 1)), found.logits, atol=1e-4)
        np.testing.assert_array_equal(found.features, one.features)


def test_no_image_gives_no_prediction(classifier: ServedClassifier) -> None:
    assert classifier.classify([]) == []


def test_below_the_threshold_a_cell_is_unidentified_and_referred(
    tiny_release: Path, images: list[Pixels]
) -> None:
    spec = read_spec(tiny_release)
    engine = Engine(read_served(tiny_release, spec.sha256), sizes=[64], classes=8)
    strict = ServedClassifier(replace(spec, threshold=1.0), engine)
    lenient = ServedClassifier(replace(spec, threshold=0.0), engine)
    for refused, named in zip(strict.classify(images), lenient.classify(images), strict=True):
        assert (refused.cell_type, refused.referred) == (UNIDENTIFIED, True)
        assert (named.cell_type, named.referred) == (refused.likeliest, False)
        assert refused.confidence == pytest.approx(max(refused.probabilities.values()))
        assert sum(refused.probabilities.values()) == pytest.approx(1.0)


def test_the_fake_keeps_the_same_promises(images: list[Pixels]) -> None:
    fake = FakeClassifier()
    first, again = fake.classify(images), fake.classify(images)
    assert first == again
    for prediction in first:
        assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
    scripted = FakeClassifier(["basophil", UNIDENTIFIED]).classify(images[:3])
    assert [each.cell_type for each in scripted] == ["basophil", UNIDENTIFIED, "basophil"]
    assert scripted[1].referred
    with pytest.raises(ValueError, match="unicorn"):
        FakeClassifier(["unicorn"])


def test_what_the_web_imports_loads_no_engine() -> None:
    code = (
        "import sys, ml.classes, ml.types, ml.errors, ml.fake, ml.preprocessing, ml.kinds, "
        "ml.artifacts, ml.synthetic, classifier.inference; "
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras', 'ai_edge_litert')))"
    )
    assert run_python(code) == 0


def test_a_worker_classifies_without_tensorflow(tiny_release: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ml.inference import load_classifier; "
        "from ml.synthetic import render_cell; "
        f"load_classifier(Path({str(tiny_release)!r})).classify([render_cell('basophil', 1)]); "
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras')))"
    )
    assert run_python(code) == 0


def run_python(code: str) -> int:
    root = Path(__file__).resolve().parents[2]
    return subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode
