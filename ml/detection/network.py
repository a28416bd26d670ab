"""The detector's network: MobileNetV2, a light decoder up to a quarter of the view, two heads."""

from __future__ import annotations

from typing import Any, Final

import keras
import tensorflow as tf

from ml.architectures import MOBILENET_V2, make_backbone
from ml.detection.objects import KINDS

HEAT: Final = "heat"
SHAPES: Final = "shapes"
ARCHITECTURE: Final = "mobilenet_v2_centres"

_LAST: Final = "block_16_project_BN"
_SKIPS: Final = ("block_12_add", "block_5_add", "block_2_add")
"""Last layers at a sixteenth, an eighth and a quarter of the view."""
_CHANNELS: Final = (96, 80, 64)
_PRIOR: Final = -2.19
"""Logit of 0.1: at first nothing is an object (Lin et al., ICCV 2017)."""

_MOMENTUM: Final = 0.9
"""Of the decoder's batch norm, whose statistics start from nothing. With 0.99 they lag so far that
after 80 steps the network knows no cell by them, yet nearly all red ones by those of a batch."""

_DECODER_MARK: Final = "decoder_"


@keras.saving.register_keras_serializable("hematovision")
class Doubled(keras.layers.Layer):
    """Repeat every place twice in both directions.

    Written so that LiteRT may be given a view of any size, as Keras' own layer fixes it.
    """

    def call(self, maps: Any) -> Any:
        return tf.nn.depth_to_space(tf.concat([maps] * 4, axis=-1), 2)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = shape
        return batch, height and height * 2, width and width * 2, channels


def build_detector(*, backbone_weights: str | None = None) -> keras.Model:
    """Build a network from float32[N, H, W, 3] in [-1, 1], H and W multiples of 32.

    It gives `heat`, logits float32[N, H/4, W/4, K], and `shapes`, float32[N, H/4, W/4, 4 K]; see
    ml/detection/decoding.py. `backbone_weights` is a file, "imagenet" or None for random ones.
    """
    inputs = keras.Input((None, None, 3), name="field")
    backbone = make_backbone(MOBILENET_V2, inputs, backbone_weights)
    maps = _step(backbone.get_layer(_LAST).output, _CHANNELS[0], "bottom", kernel=1)
    for skip, channels in zip(_SKIPS, _CHANNELS, strict=True):
        beside = _step(backbone.get_layer(skip).output, channels, f"{skip}_across", kernel=1)
        above = _step(maps, channels, f"{skip}_below", kernel=1)
        summed = keras.layers.Add(name=f"{_DECODER_MARK}{skip}_sum")(
            [Doubled(name=f"{_DECODER_MARK}{skip}_doubled")(above), beside]
        )
        maps = _step(summed, channels, f"{skip}_mixed", kernel=3)
    heat = _head(maps, len(KINDS), HEAT, bias=_PRIOR)
    shapes = _head(maps, 4 * len(KINDS), SHAPES, bias=0.0)
    return keras.Model(inputs, {HEAT: heat, SHAPES: shapes}, name=ARCHITECTURE)


def set_backbone_trainable(model: keras.Model, *, trainable: bool) -> None:
    """Freeze or free what was learned on ImageNet, its batch norm's statistics included."""
    for layer in model.layers:
        if not layer.name.startswith((_DECODER_MARK, HEAT, SHAPES)):
            layer.trainable = trainable


def _step(maps: Any, channels: int, name: str, *, kernel: int) -> Any:
    """A convolution, separable if it looks round, batch norm and ReLU6."""
    name = f"{_DECODER_MARK}{name}"
    if kernel == 1:
        convolution = keras.layers.Conv2D(channels, 1, use_bias=False, name=name)
    else:
        convolution = keras.layers.SeparableConv2D(
            channels, kernel, padding="same", use_bias=False, name=name
        )
    normed = keras.layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_norm")
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(normed(convolution(maps)))


def _head(maps: Any, channels: int, name: str, *, bias: float) -> Any:
    looked = _step(maps, _CHANNELS[-1], f"{name}_mixed", kernel=3)
    return keras.layers.Conv2D(
        channels,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(bias),
        name=name,
    )(looked)
