"""Where in the view the cells of the last feature maps look, followed through a Keras network."""

from __future__ import annotations

from typing import Any

import keras

from ml.head import FeatureGrid


def feature_grid(features: Any) -> FeatureGrid:
    """Follow a symbolic feature map back to the input, through padding, strides and kernels.

    Where branches meet, the first is followed; all are aligned, or they could not be added. The
    arithmetic of Araujo, Norris and Sim (Distill 2019), with the centre of the receptive field.
    """
    stride, offset, tensor = 1, 0.0, features
    while not isinstance(layer := tensor._keras_history.operation, keras.layers.InputLayer):
        before = layer.input[0] if isinstance(layer.input, list) else layer.input
        if isinstance(layer, keras.layers.ZeroPadding2D):
            offset -= layer.padding[0][0]
        kernel = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        if kernel is not None:
            step = layer.strides[0]
            margin = _margin(layer, before.shape[1], kernel[0], step)
            stride, offset = stride * step, step * offset + (kernel[0] - 1) / 2 - margin
        tensor = before
    return FeatureGrid(stride, offset)


def _margin(layer: Any, length: int | None, kernel: int, step: int) -> int:
    """Pixels added above and to the left; TensorFlow's "same" puts the odd one below.

    A length left open is one that the step divides.
    """
    if layer.padding != "same":
        return 0
    if length is None:
        return max(kernel - step, 0) // 2
    return max((-(-length // step) - 1) * step + kernel - length, 0) // 2
