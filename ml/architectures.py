"""Build the networks: a backbone learned on ImageNet, pooling, dropout and one dense layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras

from ml.errors import DatasetError

MOBILENET_V2: Final = "mobilenet_v2"
WEIGHTS_FILE: Final = "mobilenet_v2_1.0_224_imagenet_notop_bncal.weights.h5"
"""Preferred to any other file of MobileNetV2 in the weights folder."""

HEAD: Final = "cell_type"
_BATCH_NORM_MOMENTUM: Final = 0.99
"""Keras builds MobileNetV2 with 0.999, too slow to follow a run of a few thousand steps."""

_CAFFE_MEANS: Final = [103.939, 116.779, 123.68]
"""Mean blue, green and red of ImageNet, which ResNet50 and VGG16 were trained without."""


def _unchanged(images: Any) -> Any:
    return images


def _to_bytes(images: Any) -> Any:
    return images * 127.5 + 127.5


def _to_caffe(images: Any) -> Any:
    return keras.ops.flip(_to_bytes(images), axis=-1) - keras.ops.array(_CAFFE_MEANS)


@dataclass(frozen=True, slots=True)
class _Backbone:
    """A network of keras.applications, and what turns -1..1 into the range it was trained on."""

    make: Callable[..., keras.Model]
    adapt: Callable[[Any], Any]
    smallest: int


_BACKBONES: Final[Mapping[str, _Backbone]] = {
    MOBILENET_V2: _Backbone(keras.applications.MobileNetV2, _unchanged, 32),
    "resnet50": _Backbone(keras.applications.ResNet50, _to_caffe, 32),
    "vgg16": _Backbone(keras.applications.VGG16, _to_caffe, 32),
    "inception_v3": _Backbone(keras.applications.InceptionV3, _unchanged, 75),
    "efficientnet_b0": _Backbone(keras.applications.EfficientNetB0, _to_bytes, 32),
}
ARCHITECTURES: Final[tuple[str, ...]] = tuple(_BACKBONES)


def imagenet_weights(architecture: str, source: Path | None) -> str:
    """Name what `build` starts from: a file, the fitting file of a folder, or Keras' download.

    Raises DatasetError if `source` is neither a file nor a folder.
    """
    if source is None:
        return "imagenet"
    if source.is_file():
        return str(source)
    if not source.is_dir():
        raise DatasetError(f"No weights in {source}: there is no such file or folder.")
    if architecture == MOBILENET_V2 and (source / WEIGHTS_FILE).is_file():
        return str(source / WEIGHTS_FILE)
    fitting = sorted(source.glob(f"{architecture.replace('_b0', 'b0')}*no*top*.h5"))
    return str(fitting[0]) if fitting else "imagenet"


def build(
    architecture: str,
    *,
    input_size: int | None,
    classes: int,
    dropout: float = 0.3,
    backbone_weights: str | None = None,
) -> keras.Model:
    """Build a network from float32[N, S, S, 3] in [-1, 1] to logits float32[N, classes].

    S is `input_size`, or any multiple of 32 if that is None. `backbone_weights` is a file,
    "imagenet" (Keras' download) or None for random weights.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"Unknown architecture {architecture!r}; choose from {ARCHITECTURES}.")
    smallest = _BACKBONES[architecture].smallest
    if input_size is not None and input_size < smallest:
        raise ValueError(f"{architecture} needs at least {smallest} pixels a side.")
    inputs = keras.Input((input_size, input_size, 3), name="image")
    backbone = make_backbone(architecture, inputs, backbone_weights)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    kept = keras.layers.Dropout(dropout, name="dropout")(pooled)
    logits = keras.layers.Dense(classes, name=HEAD)(kept)
    return keras.Model(inputs, logits, name=architecture)


def make_backbone(architecture: str, inputs: Any, backbone_weights: str | None) -> keras.Model:
    """The network without its head, over float32[N, H, W, 3] in [-1, 1]; weights as in `build`."""
    parts = _BACKBONES[architecture]
    backbone = parts.make(
        input_tensor=parts.adapt(inputs), include_top=False, weights=backbone_weights
    )
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM
    return backbone


def set_backbone_trainable(model: keras.Model, *, trainable: bool) -> None:
    """Freeze or free every layer but the head; a frozen batch norm keeps ImageNet's statistics."""
    for layer in model.layers:
        if layer.name != HEAD:
            layer.trainable = trainable
