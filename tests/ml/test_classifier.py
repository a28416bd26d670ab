"""The serving classifier: order, batches, referral, and what it loads when."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.architectures import build
from ml.artifacts import WEIGHTS_NAME, read_spec
from ml.calibration import softmax
from ml.classes import CELL_CLASSES, UNIDENTIFIED
from ml.fake import FakeClassifier
from ml.inference import CellClassifier, KerasClassifier, load_classifier
from ml.preprocessing import to_input
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
def classifier(tiny_release: Path) -> CellClassifier:
    return load_classifier(tiny_release)


def rows(predictions: list[Prediction], names: tuple[str, ...]) -> NDArray[np.float64]:
    return np.array([[each.probabilities[name] for name in names] for each in predictions])


def test_class_order_comes_from_the_spec(
    classifier: CellClassifier, tiny_release: Path, images: list[Pixels]
) -> None:
    assert classifier.class_names == tuple(reversed(CELL_CLASSES))
    model = build("mobilenet_v2", input_size=64, classes=8)
    model.load_weights(tiny_release / WEIGHTS_NAME)
    tensor = np.stack([to_input(image, 64) for image in images])
    expected = softmax(model.predict(tensor, verbose=0))
    found = rows(classifier.classify(images), classifier.class_names)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_image_gets_the_same_answer_in_any_batch(
    classifier: CellClassifier, images: list[Pixels]
) -> None:
    together = rows(classifier.classify(images * 3), CELL_CLASSES)
    alone = rows([classifier.classify([image])[0] for image in images], CELL_CLASSES)
    np.testing.assert_allclose(together, np.tile(alone, (3, 1)), atol=1e-5)


def test_no_image_gives_no_prediction(classifier: CellClassifier) -> None:
    assert classifier.classify([]) == []


def test_below_the_threshold_a_cell_is_unidentified_and_referred(
    tiny_release: Path, images: list[Pixels]
) -> None:
    model = build("mobilenet_v2", input_size=64, classes=8)
    model.load_weights(tiny_release / WEIGHTS_NAME)
    strict = KerasClassifier(replace(read_spec(tiny_release), threshold=1.0), model)
    lenient = KerasClassifier(replace(read_spec(tiny_release), threshold=0.0), model)
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


def test_what_the_web_imports_loads_no_tensorflow() -> None:
    code = (
        "import sys, ml.classes, ml.types, ml.errors, ml.fake, ml.preprocessing, ml.kinds, "
        "ml.artifacts, ml.synthetic, classifier.inference; "
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras')))"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
