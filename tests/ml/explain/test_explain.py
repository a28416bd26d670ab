"""Maps of the released network on drawn cells: sane, faithful, and the network's own."""

from __future__ import annotations

from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr, wilcoxon

from ml.architectures import build
from ml.artifacts import WEIGHTS_NAME, sha256_of, write_spec
from ml.calibration import softmax
from ml.classes import CELL_CLASSES
from ml.explain import METHODS, Explanation, Network, explain, load_network
from ml.explain.faithfulness import EVALUATIONS, STEPS, area, insert, random_maps, score_map
from ml.explain.geometry import image_to_view
from ml.explain.occlusion import Counter, Question
from ml.exporting import export_release
from ml.head import Head
from ml.looks import CloserLook
from ml.nucleus import empty_colour
from ml.synthetic import render_cell
from tests.ml.annotations import Pixels

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def blank(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The released architecture with weights that learned nothing."""
    folder = tmp_path_factory.mktemp("blank")
    spec = network.spec
    keras.utils.set_random_seed(9)
    model = build(spec.architecture, input_size=None, classes=len(spec.class_names))
    model.save_weights(folder / WEIGHTS_NAME)
    write_spec(folder, replace(spec, sha256=sha256_of(folder / WEIGHTS_NAME)))
    export_release(folder)
    return load_network(folder)


_NUCLEATED = tuple(name for name in CELL_CLASSES if name != "platelet")


def _cell_mask(pixels: Pixels) -> NDArray[np.bool_]:
    """The drawn cell: what is dense within the middle half, where no red cell is drawn."""
    density = np.abs(pixels.astype(np.float32) - empty_colour(pixels)).max(axis=2) > 40
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]] / pixels.shape[0] - 0.5
    filled = cv2.morphologyEx(density.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    return (filled > 0) & (np.hypot(rows, columns) < 0.25)


def _cheap(
    network: Network, pixels: Pixels, method: str, class_name: str | None = None
) -> Explanation:
    return explain(
        network,
        pixels,
        method=method,
        class_name=class_name,
        lime_samples=160,
        shap_evaluations=80,
        is_scored=False,
        seed=1,
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_method_answers_in_the_picture_s_own_coordinates(
    network: Network, method: str
) -> None:
    pixels = render_cell("basophil", seed=3, size=200)[20:190]
    found = explain(
        network, pixels, method=method, lime_samples=64, shap_evaluations=80, is_scored=False
    )
    assert found.heat.shape == found.signed.shape == (170, 200)
    assert found.heat.dtype == found.signed.dtype == np.float32
    assert found.heat.min() >= 0.0
    assert found.heat.max() == 1.0
    assert found.class_name == "basophil"
    assert 0.5 < found.probability <= 1.0
    assert found.deletion is None
    assert (found.model, found.version) == (network.spec.name, network.spec.version)
    assert "not where the cell is" in found.caption


def test_the_heat_of_the_predicted_class_lies_on_the_cell_more_than_around(
    network: Network,
) -> None:
    for method in METHODS:
        ratios = []
        for name in ("eosinophil", "basophil", "lymphocyte"):
            pixels = render_cell(name, seed=21, size=160)
            heat = _cheap(network, pixels, method).heat
            mask = _cell_mask(pixels)
            ratios.append(heat[mask].mean() / max(heat[~mask].mean(), 1e-6))
        assert np.median(ratios) > 1.5, (method, ratios)


def test_uncovering_what_grad_cam_marks_brings_the_score_back_sooner_than_at_random(
    network: Network,
) -> None:
    gains = []
    for seed in (31, 32):
        for name in _NUCLEATED:
            pixels = render_cell(name, seed=seed, size=128)
            found = explain(network, pixels, is_scored=False)
            index = network.index_of(found.class_name)
            question = Question(network, network.view(pixels), index, Counter(0))
            matrix = image_to_view(pixels, question.view.shape[0])
            plane = cv2.warpAffine(found.signed, matrix, question.view.shape[:2])
            marked = area(insert(question, np.asarray(plane, dtype=np.float32)))
            chance = random_maps(question.view.shape[0], 2, seed=seed)
            gains.append(marked - np.mean([area(insert(question, each)) for each in chance]))
    assert np.mean(gains) > 0.05
    assert wilcoxon(gains, alternative="greater").pvalue < 0.01


def test_maps_depend_on_what_the_last_layer_learned(network: Network, eosinophil: Pixels) -> None:
    """The randomisation of Adebayo et al. (NeurIPS 2018), of the head alone."""
    learned = explain(network, eosinophil, is_scored=False)
    rng = np.random.default_rng(9)
    alike = []
    for _ in range(6):
        kernel = rng.permutation(network.kernel.ravel()).reshape(network.kernel.shape)
        other = Network(network.spec, network.engine, Head(kernel, network.grid))
        alike.append(_likeness(other, eosinophil, learned))
    assert np.mean(alike) < 0.5


@pytest.mark.parametrize("method", ["gradcam", "lime"])
def test_maps_depend_on_what_all_layers_learned(
    network: Network, blank: Network, eosinophil: Pixels, method: str
) -> None:
    """The same, of every layer."""
    learned = _cheap(network, eosinophil, method)
    assert _likeness(blank, eosinophil, learned) < 0.7


def test_a_picture_in_doubt_is_explained_by_both_looks(
    network: Network, eosinophil: Pixels
) -> None:
    always = replace(network.spec, closer=CloserLook(size=160, temperature=1.0, below=1.0))
    doubtful = Network(always, network.engine, Head(network.kernel, network.grid))
    view = doubtful.view(eosinophil)
    looks = doubtful.looks(view[None])
    assert [look.size for look in looks] == [96, 160]
    logits = (looks[0].logits + looks[1].logits) / 2
    np.testing.assert_allclose(
        doubtful.probabilities(view[None]), softmax(logits, always.temperature), rtol=1e-5
    )
    found = explain(doubtful, eosinophil, is_scored=False)
    assert found.parameters["feature_maps"] == [[3, 3], [5, 5]]
    assert found.heat.max() == 1.0
    assert _likeness(network, eosinophil, found) > 0.5


def _likeness(other: Network, pixels: Pixels, learned: Explanation) -> float:
    """Rank correlation of the other network's map of the same class, -1 to 1."""
    found = _cheap(other, pixels, learned.method, class_name=learned.class_name)
    return float(spearmanr(learned.signed.ravel(), found.signed.ravel()).statistic)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_map(
    untrained: Network, eosinophil: Pixels, method: str
) -> None:
    first, second = (
        explain(untrained, eosinophil, method=method, lime_samples=64, shap_evaluations=80, seed=4)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.heat, second.heat)
    assert (first.deletion, first.insertion) == (second.deletion, second.insertion)


def test_explains_the_class_asked_for(network: Network, eosinophil: Pixels) -> None:
    likely = explain(network, eosinophil, is_scored=False)
    other = explain(network, eosinophil, class_name="monocyte", is_scored=False)
    assert other.class_name == "monocyte"
    assert other.probability < likely.probability
    assert not np.array_equal(likely.heat, other.heat)


def test_refuses_an_unknown_method_or_class(untrained: Network, eosinophil: Pixels) -> None:
    with pytest.raises(ValueError, match="Unknown method 'saliency'"):
        explain(untrained, eosinophil, method="saliency")
    with pytest.raises(ValueError, match="no class 'blast'"):
        explain(untrained, eosinophil, class_name="blast")


def test_tells_its_progress_and_stops_when_told_to(untrained: Network, eosinophil: Pixels) -> None:
    heard: list[tuple[int, int]] = []
    explain(
        untrained,
        eosinophil,
        method="lime",
        lime_samples=64,
        on_progress=lambda done, total: heard.append((done, total)),
    )
    assert heard[-1] == (64 + EVALUATIONS, 64 + EVALUATIONS)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)

    def stop(done: int, total: int) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        explain(untrained, eosinophil, method="lime", on_progress=stop)


def test_curves_start_and_end_at_the_whole_and_the_covered_view(
    network: Network, eosinophil: Pixels
) -> None:
    view = network.view(eosinophil)
    index = network.index_of("eosinophil")
    plane = np.random.default_rng(0).random(view.shape[:2], dtype=np.float32)
    scores = score_map(Question(network, view, index, Counter(EVALUATIONS)), plane, seed=0)
    whole = network.probabilities(view[None])[0, index]
    assert len(scores.deletion_curve) == len(scores.insertion_curve) == STEPS
    assert scores.deletion_curve[0] == pytest.approx(whole, abs=1e-4)
    assert scores.insertion_curve[-1] == pytest.approx(whole, abs=1e-4)
    assert scores.deletion == area(scores.deletion_curve)
    assert area(np.linspace(1.0, 0.0, STEPS)) == pytest.approx(0.5)
