"""A release opened for explaining: its views, its last feature maps and its probabilities."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec
from ml.calibration import softmax
from ml.errors import ArtifactError
from ml.explain.receptive import feature_grid
from ml.keras_release import load_model
from ml.preprocessing import normalise, to_view
from ml.turns import turns_of, upright

BATCH: Final = 32
"""Views scored at once; smaller lots are padded to 1 or to this, so that two shapes compile."""


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
        """What the network sees of a uint8[H, W, 3] RGB picture: uint8[size, size, 3]."""
        return to_view(image, self.spec.input_size, self.spec.preprocessing)

    def index_of(self, class_name: str) -> int:
        """Place of a class in the release's order; raises ValueError if it has no such class."""
        if class_name not in self.spec.class_names:
            raise ValueError(
                f"{self.spec.name} has no class {class_name!r}; "
                f"choose from {', '.join(self.spec.class_names)}."
            )
        return self.spec.class_names.index(class_name)

    def features_and_logits(
        self, views: NDArray[Any]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Last feature maps float32[N, h, w, channels] and logits float32[N, classes].

        Both are means over the release's turns, the maps turned back: what is linear in the maps,
        as Grad-CAM is here, then explains the averaged score exactly.
        `views` are uint8 or float32[N, size, size, 3] in 0 to 255.
        """
        parts = [self._batch(lot) for lot in _lots(views)]
        features, logits = zip(*parts, strict=True)
        return np.concatenate(features), np.concatenate(logits)

    def probabilities(self, views: NDArray[Any]) -> NDArray[np.float64]:
        """Calibrated probabilities float64[N, classes] of views as in `features_and_logits`."""
        logits = np.concatenate([self._batch(lot)[1] for lot in _lots(views)])
        return softmax(logits, self.spec.temperature)

    def _batch(self, views: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        count = len(views)
        tensor = normalise(views)
        if 1 < count < BATCH:
            tensor = np.concatenate([tensor, np.zeros_like(tensor[:1]).repeat(BATCH - count, 0)])
        turns = self.spec.turns
        found = [self._forward(tf.constant(turned)) for turned in turns_of(tensor, turns)]
        features = [upright(maps.numpy(), number, turns) for number, (maps, _) in enumerate(found)]
        logits = [each.numpy() for _, each in found]
        return np.mean(features, axis=0)[:count], np.mean(logits, axis=0)[:count]


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
