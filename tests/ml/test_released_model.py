"""The models that ship: intact, small, documented, and as good as they say."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.artifacts import (
    CARD_NAME,
    DEFAULT_RELEASE,
    FOUR_CLASS_RELEASE,
    RELEASED,
    WEIGHTS_NAME,
    ReleaseSpec,
    verify,
)
from ml.calibration import MAX_ACCEPTED_ERROR
from ml.classes import CELL_CLASSES, UNIDENTIFIED
from ml.conformal import Quantiles
from ml.inference import CellClassifier, load_classifier
from ml.preprocessing import decode_image
from ml.referral_fitting import MISCOVERAGES
from ml.sources import PBC, of_classes, read_source
from ml.synthetic import render_cell

pytestmark = pytest.mark.real_model

FOUR = {"eosinophil", "lymphocyte", "monocyte", "neutrophil"}


@pytest.fixture(scope="module", params=RELEASED, ids=lambda release: release.name)
def release(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture(scope="module")
def spec(release: Path) -> ReleaseSpec:
    return verify(release)


@pytest.fixture(scope="module")
def classifier(release: Path) -> CellClassifier:
    return load_classifier(release)


def test_is_small_enough_to_ship(spec: ReleaseSpec, release: Path) -> None:
    assert (release / WEIGHTS_NAME).stat().st_size < 15_000_000
    assert release.name == f"{spec.name}-{spec.version}"


def test_names_the_classes_it_is_for() -> None:
    assert set(verify(DEFAULT_RELEASE).class_names) == set(CELL_CLASSES)
    assert set(verify(FOUR_CLASS_RELEASE).class_names) == FOUR


def test_meets_its_promise(spec: ReleaseSpec) -> None:
    assert spec.metrics["test"]["accuracy"]["interval_95"][0] >= 0.95
    assert spec.metrics["test"]["accuracy_of_accepted"]["value"] >= 0.99


def test_the_card_tells_the_figures_of_the_spec(spec: ReleaseSpec, release: Path) -> None:
    card = (release / CARD_NAME).read_text(encoding="utf-8")
    assert spec.sha256 in card
    assert f"{spec.metrics['test']['accuracy']['value']:.2%}" in card
    assert "optimistic" in card


def test_reads_most_synthetic_cells_as_what_they_are(classifier: CellClassifier) -> None:
    cells = [render_cell(name, seed) for name in classifier.class_names for seed in range(4)]
    names = [found.likeliest for found in classifier.classify(cells)]
    truth = np.repeat(classifier.class_names, 4)
    assert np.mean(np.array(names) == truth) >= 0.75


def test_refuses_pictures_of_nothing(classifier: CellClassifier) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (200, 200, 3), dtype=np.uint8) for _ in range(4)]
    plain = [np.full((200, 200, 3), shade, dtype=np.uint8) for shade in (0, 128, 255)]
    for prediction in classifier.classify([*noise, *plain]):
        assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
        assert prediction.referred
        assert prediction.oddness is not None
        assert prediction.oddness > 1.0


def test_refuses_a_cell_that_is_blurred_beyond_telling(classifier: CellClassifier) -> None:
    cell = render_cell("neutrophil", 3, 256)
    blurred = np.asarray(cv2.GaussianBlur(cell, (0, 0), 16), dtype=np.uint8)
    (found,) = classifier.classify([blurred])
    assert found.referred
    assert found.cell_type == UNIDENTIFIED


def test_conformal_quantiles_rise_with_what_is_promised(spec: ReleaseSpec) -> None:
    assert spec.conformal is not None
    quantiles = [Quantiles.from_dict(each) for each in spec.conformal["quantiles"]]
    assert [each.alpha for each in quantiles] == list(MISCOVERAGES)
    marginal = [each.marginal for each in quantiles]
    assert marginal == sorted(marginal)


def test_names_by_sets_and_tells_whom_it_confuses(spec: ReleaseSpec) -> None:
    quantiles = spec.referral_quantiles()
    assert quantiles is not None
    assert None not in quantiles.per_class
    matrix = np.array(spec.confusion_of_accepted)
    wrong = matrix.sum() - np.trace(matrix)
    assert wrong <= MAX_ACCEPTED_ERROR * matrix.sum()
    trials = spec.metrics["referral"]["trials"]
    (chosen,) = (each for each in trials if each["alpha"] == quantiles.alpha)
    assert chosen["referred"]["n"] - matrix.sum() == pytest.approx(
        chosen["referred"]["value"] * chosen["referred"]["n"], abs=0.1
    )


def test_gives_each_cell_its_candidates_and_an_embedding(classifier: CellClassifier) -> None:
    cells = [render_cell(name, seed) for name in classifier.class_names for seed in range(4)]
    found = classifier.classify(cells)
    assert all(each.referred or each.candidates == (each.cell_type,) for each in found)
    placed = [each.embedding for each in found if each.embedding is not None]
    vectors = np.stack(placed).astype(np.float32)
    assert vectors.shape == (len(cells), 64)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1.0)
    names = np.array([each.likeliest for each in found])
    assert np.mean(names[likeness.argmax(axis=1)] == names) > 0.8


def test_names_real_cells_of_the_test_fold(
    classifier: CellClassifier, spec: ReleaseSpec, data_dir: Path
) -> None:
    dealt = read_source(PBC, data_dir, seed=spec.training["seed"])
    fold = of_classes(dealt["test"], spec.class_names)
    sample = fold[::12]
    images = [decode_image(record.path.read_bytes()).pixels for record in sample]
    hits = [
        found.likeliest == record.label
        for found, record in zip(classifier.classify(images), sample, strict=True)
    ]
    assert np.mean(hits) >= 0.94
