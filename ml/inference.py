"""The classifier that serves: one release, loaded once, fed in batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.architectures import build
from ml.artifacts import WEIGHTS_NAME, ReleaseSpec, verify
from ml.calibration import softmax
from ml.classes import UNIDENTIFIED
from ml.errors import ArtifactError
from ml.preprocessing import to_input
from ml.types import Prediction

BATCH_SIZES: Final[tuple[int, ...]] = (1, 8, 32)
"""Batches are padded up to one of these, so that TensorFlow traces three shapes and no more."""


class CellClassifier(Protocol):
    """Names cells; one uint8[H, W, 3] RGB image each, of any size, one cell filling it."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def class_names(self) -> tuple[str, ...]: ...

    def classify(self, images: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """Predict every image of the batch, in order."""
        ...


def load_classifier(release_dir: Path) -> CellClassifier:
    """Verify and load a release; raises ArtifactError if it isn't what its spec says.

    Call it in the process that will classify: TensorFlow hangs in a child of a process using it.
    """
    spec = verify(release_dir)
    model = build(spec.architecture, input_size=spec.input_size, classes=len(spec.class_names))
    try:
        model.load_weights(release_dir / WEIGHTS_NAME)
    except (ValueError, OSError, KeyError) as error:
        raise ArtifactError(f"The weights in {release_dir} do not fit the spec: {error}") from error
    return KerasClassifier(spec, model)


class KerasClassifier:
    """A Keras network in float32 behind one compiled function."""

    def __init__(self, spec: ReleaseSpec, model: keras.Model) -> None:
        self._spec = spec
        self._forward = _compile_forward(model)

    @property
    def name(self) -> str:
        return self._spec.name

    @property
    def version(self) -> str:
        return self._spec.version

    @property
    def sha256(self) -> str:
        return self._spec.sha256

    @property
    def class_names(self) -> tuple[str, ...]:
        return self._spec.class_names

    def classify(self, images: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """Predict every uint8[H, W, 3] image, in order; an empty batch gives an empty list."""
        predictions: list[Prediction] = []
        for batch in _batches(images, BATCH_SIZES[-1]):
            tensor = np.stack(
                [
                    to_input(image, self._spec.input_size, self._spec.preprocessing)
                    for image in batch
                ]
            )
            predictions += self._decide(self._logits(tensor))
        return predictions

    def _logits(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        count = len(tensor)
        padded = next(size for size in BATCH_SIZES if size >= count)
        if padded > count:
            tensor = np.concatenate([tensor, np.zeros_like(tensor[:1]).repeat(padded - count, 0)])
        return np.asarray(self._forward(tf.constant(tensor)).numpy()[:count])

    def _decide(self, logits: NDArray[np.float32]) -> list[Prediction]:
        return [self._prediction(row) for row in softmax(logits, self._spec.temperature)]

    def _prediction(self, row: NDArray[np.float64]) -> Prediction:
        probabilities = dict(zip(self.class_names, map(float, row), strict=True))
        likeliest = max(probabilities, key=lambda name: probabilities[name])
        confidence = probabilities[likeliest]
        referred = confidence < self._spec.threshold
        return Prediction(
            cell_type=UNIDENTIFIED if referred else likeliest,
            confidence=confidence,
            probabilities=probabilities,
            referred=referred,
        )


def _compile_forward(model: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    compiled: Callable[[tf.Tensor], tf.Tensor] = tf.function(
        lambda images: model(images, training=False)
    )
    return compiled


def _batches(
    images: Sequence[NDArray[np.uint8]], size: int
) -> Iterator[Sequence[NDArray[np.uint8]]]:
    for start in range(0, len(images), size):
        yield images[start : start + size]
