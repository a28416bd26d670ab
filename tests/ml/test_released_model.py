"""The model that ships: intact, small, documented, and as good as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import CARD_NAME, DEFAULT_RELEASE, WEIGHTS_NAME, ReleaseSpec, verify
from ml.classes import CELL_CLASSES
from ml.datasets import fingerprint, read_pbc, split_by_group
from ml.inference import CellClassifier, load_classifier
from ml.preprocessing import decode_image
from ml.synthetic import render_cell

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def spec() -> ReleaseSpec:
    return verify(DEFAULT_RELEASE)


@pytest.fixture(scope="module")
def classifier() -> CellClassifier:
    return load_classifier(DEFAULT_RELEASE)


def test_is_small_enough_to_ship(spec: ReleaseSpec) -> None:
    assert (DEFAULT_RELEASE / WEIGHTS_NAME).stat().st_size < 15_000_000
    assert DEFAULT_RELEASE.name == f"{spec.name}-{spec.version}"


def test_names_all_eight_classes_and_meets_its_promise(spec: ReleaseSpec) -> None:
    assert set(spec.class_names) == set(CELL_CLASSES)
    assert spec.metrics["test"]["accuracy"]["interval_95"][0] >= 0.95
    assert spec.metrics["test"]["accuracy_of_accepted"]["value"] >= 0.99


def test_the_card_tells_the_figures_of_the_spec(spec: ReleaseSpec) -> None:
    card = (DEFAULT_RELEASE / CARD_NAME).read_text(encoding="utf-8")
    assert spec.sha256 in card
    assert f"{spec.metrics['test']['accuracy']['value']:.2%}" in card
    assert "optimistic" in card


def test_reads_most_synthetic_cells_as_what_they_are(classifier: CellClassifier) -> None:
    cells = [render_cell(name, seed) for name in CELL_CLASSES for seed in range(4)]
    names = [found.likeliest for found in classifier.classify(cells)]
    truth = np.repeat(CELL_CLASSES, 4)
    assert np.mean(np.array(names) == truth) >= 0.75


def test_is_not_sure_of_pictures_of_nothing(classifier: CellClassifier) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (200, 200, 3), dtype=np.uint8) for _ in range(4)]
    for prediction in classifier.classify(noise):
        assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
        assert 0.0 < prediction.confidence <= 1.0


def test_names_real_cells_of_the_test_fold(
    classifier: CellClassifier, spec: ReleaseSpec, data_dir: Path
) -> None:
    seed = spec.training["seed"]
    fold = split_by_group(read_pbc(data_dir), seed=seed)["test"]
    assert fingerprint(fold) == spec.data["fingerprints"]["test"]
    sample = fold[::12]
    images = [decode_image(record.path.read_bytes()).pixels for record in sample]
    hits = [
        found.likeliest == record.label
        for found, record in zip(classifier.classify(images), sample, strict=True)
    ]
    assert np.mean(hits) >= 0.94
