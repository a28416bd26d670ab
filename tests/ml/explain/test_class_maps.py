"""The closed forms of Grad-CAM and Grad-CAM++ are what gradients give."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from ml.architectures import build
from ml.artifacts import DEFAULT_RELEASE, verify
from ml.errors import ArtifactError
from ml.explain import Network
from ml.explain.cam import GRAD_CAM_PP, class_maps, grad_cam, grad_cam_plus_plus
from ml.exporting import head_of
from tests.ml.annotations import Pixels


def _features(seed: int = 1, shape: tuple[int, ...] = (2, 3, 3, 5)) -> NDArray[np.float32]:
    return np.maximum(np.random.default_rng(seed).normal(0.3, 1.0, shape), 0).astype(np.float32)


def _weights(seed: int = 2, shape: tuple[int, ...] = (2, 5)) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 1.0, shape).astype(np.float32)


def _derivatives(
    features: NDArray[np.float32], weights: NDArray[np.float32]
) -> list[NDArray[np.float64]]:
    """First to third derivative of Y = exp(S) by each place of one picture's maps, float64."""
    shape = features.shape
    steps = tf.Variable(tf.zeros(features.size, tf.float64))
    base = tf.constant(features.ravel(), tf.float64)
    rows = tf.eye(features.size, dtype=tf.float64)
    with tf.GradientTape() as third, tf.GradientTape() as second, tf.GradientTape() as first:
        moved = base + rows * steps[:, None]  # one copy of the maps per place, moved only there
        maps = tf.reshape(moved, (-1, *shape))
        scores = tf.einsum("nk,k->n", tf.reduce_mean(maps, (1, 2)), tf.cast(weights, tf.float64))
        y = tf.exp(scores)
        one = first.gradient(y, steps)
        two = second.gradient(one, steps)
    three = third.gradient(two, steps)
    return [each.numpy().reshape(shape) for each in (one, two, three)]


def test_grad_cam_without_gradient_equals_grad_cam_by_gradient(
    network: Network, eosinophil: Pixels
) -> None:
    look = network.looks(network.view(eosinophil)[None])[0]
    features, logits = look.features, look.logits
    index = int(logits[0].argmax())
    bias = logits[0, index] - features.mean(axis=(1, 2))[0] @ network.kernel[:, index]
    with tf.GradientTape() as tape:
        maps = tf.constant(features)
        tape.watch(maps)
        score = tf.linalg.matvec(tf.transpose(network.kernel), tf.reduce_mean(maps, (1, 2))[0])
        chosen = score[index] + bias
    alphas = tf.reduce_mean(tape.gradient(chosen, maps), axis=(1, 2))
    expected = tf.reduce_sum(maps * alphas[:, None, None, :], axis=-1).numpy()
    found = class_maps(network, features, np.array([index]))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_the_gradient_through_the_whole_keras_head_is_the_weight_over_the_places() -> None:
    spec = verify(DEFAULT_RELEASE)
    keras.utils.set_random_seed(3)
    model = build(spec.architecture, input_size=64, classes=4)
    pool, dropout, head = model.layers[-3:]
    maps = tf.constant(_features(shape=(1, 2, 2, head.kernel.shape[0])))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        score = head(dropout(pool(maps), training=False))[0, 2]
    expected = np.broadcast_to(head.kernel.numpy()[:, 2] / 4, maps.shape)
    np.testing.assert_allclose(tape.gradient(score, maps).numpy(), expected, rtol=1e-5)


def test_a_grad_cam_map_adds_up_to_the_logit_without_its_bias() -> None:
    features, weights = _features(), _weights()
    scores = (features.mean(axis=(1, 2)) * weights).sum(axis=1)
    np.testing.assert_allclose(grad_cam(features, weights).sum(axis=(1, 2)), scores, rtol=1e-4)


def test_grad_cam_plus_plus_equals_its_definition_by_three_derivatives() -> None:
    features, weights = _features(), _weights()
    found = grad_cam_plus_plus(features, weights)
    for picture, (maps, kernel) in enumerate(zip(features, weights, strict=True)):
        one, two, three = _derivatives(maps, kernel)
        alphas = two / (2 * two + maps.sum(axis=(0, 1)) * three)  # eq. 19
        mixed = (alphas * np.maximum(one, 0)).sum(axis=(0, 1))  # eq. 21
        y = float(np.exp((maps.mean(axis=(0, 1)) * kernel).sum()))
        np.testing.assert_allclose(found[picture], (maps @ mixed) / y, rtol=1e-4)


def test_a_batch_gives_each_picture_the_map_that_it_gets_alone() -> None:
    features, weights = _features(), _weights()
    for formula in (grad_cam, grad_cam_plus_plus):
        alone = np.concatenate([formula(features[[i]], weights[[i]]) for i in range(2)])
        np.testing.assert_allclose(formula(features, weights), alone, rtol=1e-5)


def test_grad_cam_plus_plus_is_never_negative(network: Network, eosinophil: Pixels) -> None:
    features = network.looks(network.view(eosinophil)[None])[0].features
    maps = class_maps(network, features.repeat(8, 0), np.arange(8), GRAD_CAM_PP)
    assert maps.min() >= 0


def test_refuses_a_network_without_one_linear_layer_behind_its_pooling() -> None:
    inputs = keras.Input((16, 16, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(inputs))
    deep = keras.layers.Dense(2)(keras.layers.Dense(8, activation="relu")(pooled))
    with pytest.raises(ArtifactError, match="more than one linear"):
        head_of(keras.Model(inputs, deep))
    flat = keras.layers.Dense(2)(keras.layers.Flatten()(inputs))
    with pytest.raises(ArtifactError, match="no global average pooling"):
        head_of(keras.Model(inputs, flat))
