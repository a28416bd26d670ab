"""From the network's two outputs for a view back to boxes."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.detection.candidates import Candidates
from ml.detection.objects import KINDS, RED_CELL, STRIDE

LARGEST_LOG: Final = 3.0
"""A side is at most this natural logarithm from that of a red cell, so that none overflows."""


def decode(logits: NDArray[np.float32], shapes: NDArray[np.float32], *, floor: float) -> Candidates:
    """Read the peaks of at least `floor` from one view's outputs.

    `logits` are float32[h, w, K], of each kind's middle being there; `shapes` float32[h, w, 4 K],
    four for each kind: the middle's distance from the place's own, x and y in strides, and the
    natural logarithms of width and height over a standard red cell's. A peak is higher than all
    eight neighbours.
    """
    heat = 1.0 / (1.0 + np.exp(-logits.clip(-30.0, 30.0)))
    highest = cv2.dilate(heat, np.ones((3, 3), np.uint8), borderValue=0).reshape(heat.shape)
    rows, columns, kinds = np.nonzero((heat >= floor) & (heat == highest))
    found = shapes.reshape(*heat.shape[:2], len(KINDS), 4)[rows, columns, kinds]
    places = np.column_stack([columns, rows]) + 0.5
    middles = (places + found[:, :2]) * STRIDE
    halves = np.exp(found[:, 2:].clip(-LARGEST_LOG, LARGEST_LOG)) * RED_CELL / 2
    boxes = np.concatenate([middles - halves, middles + halves], axis=1)
    return Candidates(boxes.astype(np.float32), kinds, heat[rows, columns, kinds])


def mirrored(shapes: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the shapes float32[h, w, 4 K] of a mirrored view are in the view itself."""
    turned = shapes[:, ::-1].reshape(*shapes.shape[:2], -1, 4).copy()
    turned[..., 0] *= -1.0
    return turned.reshape(shapes.shape)


def encode(
    boxes: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The shapes float32[h, w, 4 K] that `decode` would read as boxes float32[h, w, K, 4]."""
    height, width, kinds, _ = boxes.shape
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)[:, :, None] + 0.5
    away = (boxes[..., :2] + boxes[..., 2:]) / 2 / STRIDE - places
    logs = np.log((boxes[..., 2:] - boxes[..., :2]).clip(min=1.0) / RED_CELL)
    shapes = np.concatenate([away, logs], axis=-1).astype(np.float32)
    return shapes.reshape(height, width, kinds * 4)
