"""Every backbone by name: the range it was trained on, its weights, and a step of training."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from ml.architectures import ARCHITECTURES, HEAD, build, imagenet_weights, set_backbone_trainable
from ml.errors import DatasetError

EXPECTED_RANGES = {
    "mobilenet_v2": keras.applications.mobilenet_v2.preprocess_input,
    "resnet50": keras.applications.resnet50.preprocess_input,
    "vgg16": keras.applications.vgg16.preprocess_input,
    "inception_v3": keras.applications.inception_v3.preprocess_input,
    "efficientnet_b0": keras.applications.efficientnet.preprocess_input,
}


@pytest.mark.parametrize("architecture", ["resnet50", "vgg16", "efficientnet_b0"])
def test_feeds_a_backbone_what_keras_would(architecture: str) -> None:
    images = np.random.default_rng(1).integers(0, 256, (1, 75, 75, 3)).astype(np.float32)
    network = build(architecture, input_size=75, classes=4)
    first = next(
        layer for layer in network.layers if layer.weights or "normalization" in layer.name
    )
    seen = keras.Model(network.input, first.input)(images / 127.5 - 1.0)
    expected = EXPECTED_RANGES[architecture](images.copy())
    if architecture == "efficientnet_b0":  # the network itself rescales, to 0..1
        expected = expected / 255.0
    padded = (np.asarray(seen).shape[1] - 75) // 2
    inner = np.asarray(seen)[:, padded : padded + 75, padded : padded + 75]
    np.testing.assert_allclose(inner, expected, atol=1e-2)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_names_classes_and_learns_a_step(architecture: str) -> None:
    network = build(architecture, input_size=75, classes=4)
    set_backbone_trainable(network, trainable=False)
    assert {layer.name for layer in network.layers if layer.trainable_weights} == {HEAD}
    network.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True))
    images, targets = np.zeros((2, 75, 75, 3), np.float32), np.eye(4, dtype=np.float32)[:2]
    loss = float(network.train_on_batch(images, targets))
    assert np.isfinite(loss)
    assert network.output_shape == (None, 4)


def test_refuses_an_unknown_name_and_too_small_a_picture() -> None:
    with pytest.raises(ValueError, match="Unknown architecture"):
        build("alexnet", input_size=64, classes=4)
    with pytest.raises(ValueError, match="at least 75"):
        build("inception_v3", input_size=64, classes=4)


def test_takes_weights_from_a_file_a_folder_or_the_net(tmp_path: Path) -> None:
    own = tmp_path / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    own.touch()
    assert imagenet_weights("resnet50", own) == str(own)
    assert imagenet_weights("resnet50", tmp_path) == str(own)
    assert imagenet_weights("vgg16", tmp_path) == "imagenet"
    assert imagenet_weights("vgg16", None) == "imagenet"
    with pytest.raises(DatasetError, match="no such file"):
        imagenet_weights("vgg16", tmp_path / "absent")
