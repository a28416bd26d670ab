"""How wrong the network's answer is: peaks by focal loss, boxes by generalised overlap."""

from __future__ import annotations

from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.detection.decoding import LARGEST_LOG
from ml.detection.objects import KINDS, RED_CELL, STRIDE
from ml.detection.targets import Targets

_FOCUS: Final = 2.0
_NEARNESS: Final = 4.0
"""Exponents of Zhou et al., arXiv 1904.07850, equation 1."""


def pack_heat(targets: Targets) -> NDArray[np.float32]:
    """What `heat_loss` takes as truth: float32[..., 2 K], heat then weights."""
    return np.concatenate([targets.heat, targets.heat_weights], axis=-1)


def pack_shapes(targets: Targets) -> NDArray[np.float32]:
    """What `box_loss` takes as truth: float32[..., 5 K], for each kind the box, then its weight."""
    joined = np.concatenate([targets.boxes, targets.box_weights[..., None]], axis=-1)
    return joined.reshape(*targets.heat.shape[:-1], 5 * len(KINDS))


@keras.saving.register_keras_serializable("hematovision")
def heat_loss(truth: Any, logits: Any) -> Any:
    """Penalty-reduced focal loss over the objects of a batch (Law & Deng 2018; Zhou et al. 2019).

    Kinds weigh by the root of their number: a field has a dozen red cells to one white one.
    `truth` is `pack_heat`'s, with a batch's axis before it; `logits` float32[N, h, w, K].
    """
    heat, weights = tf.split(truth, 2, axis=-1)
    is_middle = tf.cast(heat >= 1.0, tf.float32)
    found = tf.sigmoid(logits)
    missed = is_middle * (1.0 - found) ** _FOCUS * tf.nn.softplus(-logits)
    imagined = (1.0 - is_middle) * (1.0 - heat) ** _NEARNESS * found**_FOCUS
    lost = weights * (missed + imagined * tf.nn.softplus(logits))
    return _balanced(tf.reduce_sum(lost, [0, 1, 2]), tf.reduce_sum(is_middle, [0, 1, 2]))


@keras.saving.register_keras_serializable("hematovision")
def box_loss(truth: Any, shapes: Any) -> Any:
    """One less the generalised overlap (Rezatofighi et al., CVPR 2019); kinds as in `heat_loss`.

    `truth` is `pack_shapes`', with a batch's axis before it; `shapes` float32[N, h, w, 4 K].
    """
    size = tf.shape(shapes)
    cells = tf.reshape(truth, [size[0], size[1], size[2], len(KINDS), 5])
    wanted, weights = cells[..., :4], cells[..., 4]
    found = _to_boxes(tf.reshape(shapes, [size[0], size[1], size[2], len(KINDS), 4]))
    lost = weights * (1.0 - _generalised_overlap(found, wanted))
    return _balanced(tf.reduce_sum(lost, [0, 1, 2]), tf.reduce_sum(weights, [0, 1, 2]))


def _balanced(totals: Any, counts: Any) -> Any:
    """Mean loss an object from totals and counts float32[K], each kind by its count's root."""
    roots = tf.sqrt(tf.maximum(counts, 1.0))
    return tf.reduce_sum(totals / roots) / tf.reduce_sum(roots)


def _to_boxes(shapes: Any) -> Any:
    """As `ml.detection.decoding.decode` does, for every place: float32[N, h, w, K, 4]."""
    size = tf.shape(shapes)
    columns, rows = tf.meshgrid(tf.range(size[2]), tf.range(size[1]))
    places = tf.cast(tf.stack([columns, rows], axis=-1), tf.float32)[:, :, None] + 0.5
    middles = (places + shapes[..., :2]) * STRIDE
    logs = tf.clip_by_value(shapes[..., 2:], -LARGEST_LOG, LARGEST_LOG)
    halves = tf.exp(logs) * (RED_CELL / 2)
    return tf.concat([middles - halves, middles + halves], axis=-1)


def _generalised_overlap(found: Any, wanted: Any) -> Any:
    low = tf.maximum(found[..., :2], wanted[..., :2])
    high = tf.minimum(found[..., 2:], wanted[..., 2:])
    shared = tf.reduce_prod(tf.maximum(high - low, 0.0), axis=-1)
    together = _area(found) + _area(wanted) - shared
    outer_low = tf.minimum(found[..., :2], wanted[..., :2])
    outer_high = tf.maximum(found[..., 2:], wanted[..., 2:])
    hull = tf.reduce_prod(outer_high - outer_low, axis=-1)
    return shared / tf.maximum(together, 1e-3) - (hull - together) / tf.maximum(hull, 1e-3)


def _area(boxes: Any) -> Any:
    return tf.reduce_prod(boxes[..., 2:] - boxes[..., :2], axis=-1)
