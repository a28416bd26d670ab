"""The serving form decides as the Keras network does that it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.artifacts import DEFAULT_RELEASE, ReleaseSpec
from ml.calibration import softmax
from ml.classes import CELL_CLASSES
from ml.conformal import prediction_set
from ml.datasets import read_pbc, split_by_group
from ml.inference import ServedClassifier, load_classifier
from ml.keras_release import load_model
from ml.preprocessing import decode_image, to_input
from ml.referral import is_settled
from ml.synthetic import render_cell
from tests.ml.annotations import Pixels

MOST_DIFFERENT = 1e-4
"""Largest difference of any probability; sums in another order differ by some 1e-6."""


@pytest.fixture(scope="module")
def classifier() -> ServedClassifier:
    return load_classifier(DEFAULT_RELEASE)


@pytest.fixture(scope="module")
def original() -> tuple[ReleaseSpec, Any]:
    return load_model(DEFAULT_RELEASE)


def keras_probabilities(
    original: tuple[ReleaseSpec, Any], images: list[Pixels]
) -> NDArray[np.float64]:
    spec, model = original
    logits = predict(model, images, spec.input_size)
    if spec.closer:
        wanted = np.flatnonzero(spec.closer.is_wanted(logits))
        assert len(wanted)
        again = predict(model, [images[number] for number in wanted], spec.closer.size)
        logits[wanted] = (logits[wanted] + again) / 2
    return softmax(logits, spec.temperature)


def predict(model: Any, images: list[Pixels], size: int) -> NDArray[np.float32]:
    views = np.stack([to_input(image, size) for image in images])
    return np.asarray(model.predict(views, verbose=0))


def check_same_decisions(
    classifier: ServedClassifier, original: tuple[ReleaseSpec, Any], images: list[Pixels]
) -> None:
    expected = keras_probabilities(original, images)
    predictions = classifier.classify(images)
    names = classifier.class_names
    found = np.array([[each.probabilities[name] for name in names] for each in predictions])
    assert np.mean(found.argmax(axis=1) == expected.argmax(axis=1)) >= 0.999
    oddness = np.array([each.oddness for each in predictions], dtype=float)
    quantiles = original[0].referral_quantiles()
    assert quantiles is not None
    sets = prediction_set(expected, quantiles.class_thresholds(), score=quantiles.score)
    referred = ~is_settled(expected, sets) | (oddness > 1.0)
    assert np.mean([each.referred for each in predictions] == referred) >= 0.999
    assert np.abs(found - expected).max() < MOST_DIFFERENT


@pytest.mark.real_model
def test_drawn_cells_are_decided_as_by_keras(
    classifier: ServedClassifier, original: tuple[ReleaseSpec, Any]
) -> None:
    images = [render_cell(CELL_CLASSES[i % 8], i) for i in range(64)]
    check_same_decisions(classifier, original, images)


@pytest.mark.real_model
def test_real_cells_are_decided_as_by_keras(
    classifier: ServedClassifier, original: tuple[ReleaseSpec, Any], data_dir: Path
) -> None:
    fold = split_by_group(read_pbc(data_dir), seed=original[0].training["seed"])["validation"]
    images = [decode_image(record.path.read_bytes()).pixels for record in fold[::2]]
    assert len(images) > 1000
    check_same_decisions(classifier, original, images)


@pytest.mark.real_model
def test_features_and_maps_add_up_to_the_logits(
    classifier: ServedClassifier, original: tuple[ReleaseSpec, Any]
) -> None:
    head = original[1].layers[-1]
    for output in classifier.examine([render_cell("eosinophil", 3), render_cell("platelet", 4)]):
        assert output.features.shape == (1280,)
        logits = output.features @ head.kernel.numpy() + head.bias.numpy()
        np.testing.assert_allclose(logits, output.logits, atol=1e-3)
        np.testing.assert_allclose(output.maps.mean(axis=(0, 1)), output.logits, atol=1e-3)
