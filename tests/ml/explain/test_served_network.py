"""What explains is the served network: it looks as Keras does, and needs no TensorFlow."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from ml.artifacts import DEFAULT_RELEASE
from ml.calibration import softmax
from ml.errors import ArtifactError
from ml.explain import Network, load_network
from ml.head import HEAD_NAME
from ml.keras_release import load_model
from ml.preprocessing import locate, normalise
from ml.receptive import feature_grid
from ml.serving_form import ServingForm, read_form, write_form
from ml.synthetic import render_cell
from tests.ml.annotations import Pixels

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.real_model
def test_feature_maps_and_logits_are_those_of_keras(network: Network) -> None:
    _, model = load_model(DEFAULT_RELEASE)
    pool = next(each for each in model.layers if each.name == "pool")
    both = keras.Model(model.inputs, [pool.input, model.output])
    cells = [render_cell(name, 4, 150) for name in ("neutrophil", "basophil", "platelet")]
    for size in (96, 160):
        views = np.stack([locate(cell).view(size) for cell in cells])
        features, logits = both.predict(normalise(views), verbose=0)
        look = network.looks(views)[-1]
        assert look.size == size
        np.testing.assert_allclose(look.features, features, atol=2e-3)
        np.testing.assert_allclose(
            softmax(look.logits, network.spec.temperature),
            softmax(logits, network.spec.temperature),
            atol=1e-4,
        )
    np.testing.assert_array_equal(network.kernel, model.layers[-1].kernel.numpy())
    assert network.grid == feature_grid(pool.input)


def test_a_view_gets_the_same_answer_whatever_it_comes_with(
    untrained: Network, eosinophil: Pixels
) -> None:
    views = np.stack([untrained.view(eosinophil), untrained.view(eosinophil[::-1])] * 20)
    together = untrained.probabilities(views)
    np.testing.assert_array_equal(together[:1], untrained.probabilities(views[:1]))
    np.testing.assert_array_equal(together[0], together[2])


def test_refuses_a_head_that_is_missing_or_another(tiny_release: Path, tmp_path: Path) -> None:
    release = Path(shutil.copytree(tiny_release, tmp_path / "release"))
    head = release / HEAD_NAME
    whole = head.read_bytes()
    head.write_bytes(whole + b"!")
    with pytest.raises(ArtifactError, match="is not the one"):
        load_network(release)
    head.unlink()
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_network(release)
    form = read_form(release)
    write_form(release, ServingForm(form.weights_sha256, form.sha256))
    with pytest.raises(ArtifactError, match="cannot be explained yet"):
        load_network(release)


def test_explaining_loads_no_tensorflow(tiny_release: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ml.explain import explain, load_network; "
        "assert 'ai_edge_litert' not in sys.modules; "
        "from ml.synthetic import render_cell; "
        f"network = load_network(Path({str(tiny_release)!r})); "
        "explain(network, render_cell('basophil', 1), method='lime', lime_samples=32); "
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
