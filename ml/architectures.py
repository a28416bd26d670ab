"""Build the networks: a backbone learned on ImageNet, pooling, dropout and one dense layer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import keras

MOBILENET_V2: Final = "mobilenet_v2"
ARCHITECTURES: Final[tuple[str, ...]] = (MOBILENET_V2,)
WEIGHTS_FILE: Final = "mobilenet_v2_1.0_224_imagenet_notop_bncal.weights.h5"
"""Looked for in the weights folder; without it Keras downloads its own where the network allows."""

HEAD: Final = "cell_type"
_BATCH_NORM_MOMENTUM: Final = 0.99
"""Keras builds MobileNetV2 with 0.999, too slow to follow a run of a few thousand steps."""


def imagenet_weights(weights_dir: Path | None) -> str:
    """Name what `build` starts from: the file in `weights_dir` if there, else Keras' download."""
    if weights_dir is not None and (weights_dir / WEIGHTS_FILE).is_file():
        return str(weights_dir / WEIGHTS_FILE)
    return "imagenet"


def build(
    architecture: str,
    *,
    input_size: int,
    classes: int,
    dropout: float = 0.3,
    backbone_weights: str | None = None,
) -> keras.Model:
    """Build a network from float32[N, S, S, 3] in [-1, 1] to logits float32[N, classes].

    `backbone_weights` is a file, "imagenet" (Keras' download) or None for random weights.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"Unknown architecture {architecture!r}; choose from {ARCHITECTURES}.")
    inputs = keras.Input((input_size, input_size, 3), name="image")
    backbone = keras.applications.MobileNetV2(
        input_tensor=inputs, include_top=False, alpha=1.0, weights=backbone_weights
    )
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    kept = keras.layers.Dropout(dropout, name="dropout")(pooled)
    logits = keras.layers.Dense(classes, name=HEAD)(kept)
    return keras.Model(inputs, logits, name=architecture)


def set_backbone_trainable(model: keras.Model, *, trainable: bool) -> None:
    """Freeze or free every layer but the head; a frozen batch norm keeps ImageNet's statistics."""
    for layer in model.layers:
        if layer.name != HEAD:
            layer.trainable = trainable
