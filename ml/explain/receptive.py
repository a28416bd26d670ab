"""Where in the view the cells of the last feature maps look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FeatureGrid:
    """Cell `i` of a feature map looks at pixels around `stride * i + offset`, whole at centres."""

    stride: int
    offset: float

    def spread(self, coarse: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """Lay float32[h, w] on the view, float32[size, size], between the cells' middles.

        Stretching it over the view instead would move it: MobileNetV2 pads only below and to the
        right, so at 128 px its four cells a side look at 31, 63, 95 and 127, not 16, 48, 80, 112.
        """
        scale, start = 1.0 / self.stride, -self.offset / self.stride
        matrix = np.array([[scale, 0.0, start], [0.0, scale, start]])
        laid = cv2.warpAffine(
            coarse,
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(laid, dtype=np.float32)


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
