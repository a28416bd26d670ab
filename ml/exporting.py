"""Write the form in which a release is served: its Keras network, frozen, as a LiteRT file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from ml.artifacts import ReleaseSpec, sha256_of
from ml.errors import ArtifactError
from ml.keras_release import load_model
from ml.serving_form import SERVED_NAME, ServingForm, write_form


def export_release(release_dir: Path) -> ServingForm:
    """Make model.tflite and serving.json of the weights in `release_dir`, replacing older ones.

    The network takes one view, float32[1, S, S, 3] in [-1, 1], S the spec's size or, resized, that
    of the closer look, and gives three outputs in this order: logits float32[1, C]; pooled
    features float32[1, K] before the dense layer; and class maps float32[1, h, w, C], that layer
    applied at each place of the last feature maps, so that the mean of a map is the class's logit
    (Zhou et al., CVPR 2016).
    The same weights and TensorFlow give the same bytes. Raises ArtifactError as `load_model` does.
    """
    spec, model = load_model(release_dir)
    path = release_dir / SERVED_NAME
    path.write_bytes(_convert(_with_features_and_maps(model), spec))
    form = ServingForm(weights_sha256=spec.sha256, sha256=sha256_of(path))
    write_form(release_dir, form)
    return form


def _with_features_and_maps(model: keras.Model) -> keras.Model:
    head = model.layers[-1]
    pools = [
        layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)
    ]
    is_linear = isinstance(head, keras.layers.Dense) and head.activation is keras.activations.linear
    if not pools or not is_linear:
        raise ArtifactError(f"{model.name} does not end in global pooling and one dense layer.")
    pool = pools[-1]
    return keras.Model(model.inputs, [model.output, pool.output, head(pool.input)], name="served")


def _convert(model: keras.Model, spec: ReleaseSpec) -> bytes:
    """Freeze variables to constants and convert in float32; batch norm is folded on the way."""

    def forward(image: tf.Tensor) -> Any:
        return tuple(model(image, training=False))

    shape = [1, spec.input_size, spec.input_size, 3]
    views = tf.TensorSpec(shape, tf.float32, name="image")
    frozen = convert_variables_to_constants_v2(tf.function(forward).get_concrete_function(views))
    converted: bytes = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model).convert()
    return converted
