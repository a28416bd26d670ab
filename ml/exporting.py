"""Write the form in which a release is served: its Keras network, frozen, as a LiteRT file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from ml.artifacts import sha256_of
from ml.errors import ArtifactError
from ml.head import Head, write_head
from ml.keras_release import load_model
from ml.receptive import feature_grid
from ml.serving_form import SERVED_NAME, ServingForm, write_form


def export_release(release_dir: Path) -> ServingForm:
    """Make what serves of the weights in `release_dir`, replacing older files.

    That is model.tflite, head.npz and serving.json, which names their hashes.

    The network takes one view, float32[1, S, S, 3] in [-1, 1], S the spec's size or, resized, that
    of the closer look, and gives four outputs in this order: logits float32[1, C]; pooled
    features float32[1, K] before the dense layer; class maps float32[1, h, w, C], that layer
    applied at each place of the last feature maps, so that the mean of a map is the class's logit
    (Zhou et al., CVPR 2016); and these feature maps themselves, float32[1, h, w, K].
    The same weights and TensorFlow give the same bytes. Raises ArtifactError as `load_model` does.
    """
    spec, model = load_model(release_dir)
    pool, head = _pooling_of(model), _head_of(model)
    outputs = [model.output, pool.output, head(pool.input), pool.input]
    served = convert(keras.Model(model.inputs, outputs, name="served"), spec.input_size)
    explaining = write_head(release_dir, head_of(model))
    return write_served(release_dir, served, spec.sha256, head_sha256=explaining)


def write_served(
    release_dir: Path, served: bytes, weights_sha256: str, *, head_sha256: str | None = None
) -> ServingForm:
    """Write the LiteRT file, and the note that ties it to the weights of this hash."""
    path = release_dir / SERVED_NAME
    path.write_bytes(served)
    form = ServingForm(weights_sha256, sha256_of(path), head_sha256)
    write_form(release_dir, form)
    return form


def head_of(model: keras.Model) -> Head:
    """What explains a network: its dense layer, and where its last feature maps look."""
    return Head(_head_of(model).kernel.numpy(), feature_grid(_pooling_of(model).input))


def _pooling_of(model: keras.Model) -> Any:
    pools = [
        layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)
    ]
    if not pools:
        raise ArtifactError(f"{model.name} has no global average pooling, so no class maps.")
    return pools[-1]


def _head_of(model: keras.Model) -> Any:
    """The dense layer; anything else behind the pooling would make class maps untrue."""
    head = model.layers[-1]
    behind = model.layers[model.layers.index(_pooling_of(model)) + 1 : -1]
    is_linear = isinstance(head, keras.layers.Dense) and head.activation is keras.activations.linear
    if not is_linear or any(not isinstance(layer, keras.layers.Dropout) for layer in behind):
        raise ArtifactError(
            f"{model.name} has more than one linear dense layer behind its pooling."
        )
    return head


def convert(model: keras.Model, size: int) -> bytes:
    """Freeze variables to constants and convert in float32; batch norm is folded on the way.

    `model` reads float32[1, S, S, 3] and gives several outputs, which keep their order; `size` is
    the S that the file is made for.
    """

    def forward(image: tf.Tensor) -> Any:
        return tuple(model(image, training=False))

    shape = [1, size, size, 3]
    views = tf.TensorSpec(shape, tf.float32, name="image")
    frozen = convert_variables_to_constants_v2(tf.function(forward).get_concrete_function(views))
    converted: bytes = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model).convert()
    return converted
