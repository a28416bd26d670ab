"""A release opened for explaining: its views, its last feature maps and its probabilities."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec
from ml.calibration import softmax
from ml.errors import ArtifactError
from ml.explain.receptive import feature_grid
from ml.keras_release import load_model
from ml.preprocessing import locate, normalise

BATCH: Final = 32
"""Views scored at once; smaller lots are padded to 1 or to this, so that two shapes compile."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Last feature maps float32[N, h, w, channels] and logits float32[N, classes] at one size."""

    size: int
    features: NDArray[np.float32]
    logits: NDArray[np.float32]


class Network:
    """A network that ends in global average pooling and one dense layer without activation."""

    def __init__(self, spec: ReleaseSpec, model: keras.Model) -> None:
        pool = _pooling_of(model)
        self.spec = spec
        self.kernel: NDArray[np.float32] = _head_of(model, pool).kernel.numpy()
        """Weights of the dense layer, float32[channels, classes]."""
        self.grid = feature_grid(pool.input)
        """Where the cells of the feature maps look."""
        both = keras.Model(model.inputs, [pool.input, model.output])
        self._forward = tf.function(lambda tensor: both(tensor, training=False))

    def view(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the network sees of a uint8[H, W, 3] RGB picture, uint8[S, S, 3].

        S is the size of the closer look if the first one leaves the picture in doubt.
        """
        cell, closer = locate(image), self.spec.closer
        view = cell.view(self.spec.input_size)
        if closer is None or not closer.is_wanted(self.looks(view[None])[0].logits)[0]:
            return view
        return cell.view(closer.size)

    def index_of(self, class_name: str) -> int:
        """Place of a class in the release's order; raises ValueError if it has no such class."""
        if class_name not in self.spec.class_names:
            raise ValueError(
                f"{self.spec.name} has no class {class_name!r}; "
                f"choose from {', '.join(self.spec.class_names)}."
            )
        return self.spec.class_names.index(class_name)

    def looks(self, views: NDArray[Any]) -> list[Look]:
        """What the network makes of uint8 or float32[N, S, S, 3] views in 0 to 255, look by look.

        Views of the closer look's size get both looks, the first at the first's size: it is then
        made from the view, not from the picture, so its logits differ slightly from those served.
        """
        sizes = sorted({self.spec.input_size, views.shape[1]})
        return [self._look(_shrink(views, size)) for size in sizes]

    def probabilities(self, views: NDArray[Any]) -> NDArray[np.float64]:
        """Calibrated probabilities float64[N, classes], of the mean of the looks at such views."""
        logits = np.mean([look.logits for look in self.looks(views)], axis=0)
        return softmax(logits, self.spec.temperature)

    def _look(self, views: NDArray[Any]) -> Look:
        parts = [self._batch(lot) for lot in _lots(views)]
        features, logits = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Look(views.shape[1], features, logits)

    def _batch(self, views: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        count = len(views)
        tensor = normalise(views)
        if 1 < count < BATCH:
            tensor = np.concatenate([tensor, np.zeros_like(tensor[:1]).repeat(BATCH - count, 0)])
        features, logits = self._forward(tf.constant(tensor))
        return features.numpy()[:count], logits.numpy()[:count]


def _shrink(views: NDArray[Any], size: int) -> NDArray[Any]:
    if views.shape[1] == size:
        return views
    return np.stack(
        [cv2.resize(view, (size, size), interpolation=cv2.INTER_AREA) for view in views]
    )


def load_network(release_dir: Path) -> Network:
    """Verify and open a release; raises ArtifactError if it is not what its spec says.

    Call it in the process that explains: TensorFlow hangs in a child of a process using it.
    """
    return Network(*load_model(release_dir))


def _pooling_of(model: keras.Model) -> Any:
    pools = [
        layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)
    ]
    if not pools:
        raise ArtifactError(f"{model.name} has no global average pooling, so no class maps.")
    return pools[-1]


def _head_of(model: keras.Model, pool: Any) -> Any:
    """The dense layer; anything else behind the pooling would make the closed forms untrue."""
    head = model.layers[-1]
    behind = model.layers[model.layers.index(pool) + 1 : -1]
    is_linear = isinstance(head, keras.layers.Dense) and head.activation is keras.activations.linear
    if not is_linear or any(not isinstance(layer, keras.layers.Dropout) for layer in behind):
        raise ArtifactError(
            f"{model.name} has more than one linear dense layer behind its pooling."
        )
    return head


def _lots(views: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(views), BATCH):
        yield views[start : start + BATCH]
