"""The classifier that serves: one release, loaded once, reading cells on every core."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec, verify
from ml.calibration import softmax
from ml.classes import UNIDENTIFIED
from ml.engine import Engine, NetworkOutput, average
from ml.preprocessing import to_input
from ml.serving_form import read_served
from ml.turns import turns_of
from ml.types import Prediction


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


def load_classifier(release_dir: Path) -> ServedClassifier:
    """Verify and load a release; raises ArtifactError if it isn't what its spec says.

    Call it in the process that will classify: its threads do not survive a fork.
    """
    spec = verify(release_dir)
    served = read_served(release_dir, spec)
    engine = Engine(
        served, input_size=spec.input_size, classes=len(spec.class_names), turns=spec.turns
    )
    return ServedClassifier(spec, engine)


class ServedClassifier:
    """A release in its serving form; each core prepares a cell and runs the network on it."""

    def __init__(self, spec: ReleaseSpec, engine: Engine) -> None:
        cv2.setNumThreads(1)  # the cores are shared out by cells, not within one
        self._spec = spec
        self._engine = engine
        self._pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="classify")

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
        return [self.decide(output) for output in self.examine(images)]

    def examine(self, images: Sequence[NDArray[np.uint8]]) -> list[NetworkOutput]:
        """Logits, pooled features and class maps of every uint8[H, W, 3] image, in order."""
        return list(self._pool.map(self._examine_one, images))

    def decide(self, output: NetworkOutput) -> Prediction:
        """Calibrated probabilities of one cell, and its name unless it is referred."""
        (row,) = softmax(output.logits[np.newaxis], self._spec.temperature)
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

    def _examine_one(self, image: NDArray[np.uint8]) -> NetworkOutput:
        view = to_input(image, self._spec.input_size, self._spec.preprocessing)
        return average(self._engine.run(np.stack(turns_of(view, self._spec.turns))))


def usable_cores() -> int:
    """How many cores this process may use; a container or `taskset` may allow it but some."""
    return len(os.sched_getaffinity(0))
