"""A release as Keras built it: what serving forms are made from and compared with."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from ml.architectures import build
from ml.artifacts import WEIGHTS_NAME, ReleaseSpec, verify
from ml.errors import ArtifactError
from ml.head_fitting import DenseLayer


def load_model(release_dir: Path) -> tuple[ReleaseSpec, keras.Model]:
    """Verify a release and restore its network; raises ArtifactError if it isn't what it says.

    With a closer look the network reads views of any multiple of 32. Call it in the process that
    computes: TensorFlow hangs in a child of a process using it.
    """
    spec = verify(release_dir)
    size = None if spec.closer else spec.input_size
    model = build(spec.architecture, input_size=size, classes=len(spec.class_names))
    try:
        model.load_weights(release_dir / WEIGHTS_NAME)
    except (ValueError, OSError, KeyError) as error:
        raise ArtifactError(f"The weights in {release_dir} do not fit the spec: {error}") from error
    return spec, model


def read_layer(release_dir: Path) -> DenseLayer:
    """The dense layer of a release's network."""
    _, model = load_model(release_dir)
    kernel, bias = (np.asarray(each, dtype=np.float64) for each in model.layers[-1].get_weights())
    return DenseLayer(kernel, bias)
