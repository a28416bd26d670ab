"""The classifier that serves: one release, loaded once, reading cells on every core."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec, sha256_of
from ml.calibration import softmax
from ml.classes import UNIDENTIFIED
from ml.conformal import prediction_set
from ml.cores import usable_cores
from ml.embedding import place
from ml.engine import Engine, NetworkOutput, open_engine
from ml.errors import ArtifactError
from ml.novelty import REFERENCE_NAME, NoveltyStatistics, load, score
from ml.preprocessing import Located, locate, normalise
from ml.quality import quality_of
from ml.referral import is_settled
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
    spec, engine = open_engine(release_dir)
    return ServedClassifier(spec, engine, read_statistics(release_dir, spec))


class ServedClassifier:
    """A release in its serving form; each core prepares a cell and runs the network on it."""

    def __init__(
        self, spec: ReleaseSpec, engine: Engine, statistics: NoveltyStatistics | None = None
    ) -> None:
        cv2.setNumThreads(1)  # the cores are shared out by cells, not within one
        self._spec = spec
        self._engine = engine
        self._statistics = statistics
        self._quantiles = spec.referral_quantiles()
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
        return list(self._pool.map(self._classify_one, images))

    def examine(self, images: Sequence[NDArray[np.uint8]]) -> list[NetworkOutput]:
        """Logits, pooled features and class maps of every uint8[H, W, 3] image, in order."""
        return list(self._pool.map(self._examine_one, images))

    def decide(self, output: NetworkOutput, oddness: float | None = None) -> Prediction:
        """Calibrated probabilities of one cell, and its name unless it is odd or in doubt."""
        rows = softmax(output.logits[np.newaxis], self._spec.temperature)
        probabilities = dict(zip(self.class_names, map(float, rows[0]), strict=True))
        likeliest = max(probabilities, key=lambda name: probabilities[name])
        confidence = probabilities[likeliest]
        is_odd = oddness is not None and oddness > 1.0
        if oddness is not None:
            confidence *= share_of_known(oddness)
        held, is_settled = self._set_of(rows, confidence)
        referred = is_odd or not is_settled
        return Prediction(
            cell_type=UNIDENTIFIED if referred else likeliest,
            confidence=confidence,
            probabilities=probabilities,
            referred=referred,
            oddness=oddness,
            candidates=self._in_order(rows[0], held),
            embedding=self._embed(output),
        )

    def _set_of(
        self, rows: NDArray[np.float64], confidence: float
    ) -> tuple[NDArray[np.bool_], bool]:
        """Which classes bool[C] aren't ruled out in one cell, and whether that names it.

        By the release's conformal sets; without them, by the threshold on confidence.
        """
        if self._quantiles is None:
            held = (rows[0] == rows[0].max()) & (rows[0] >= self._spec.threshold)
            return held, confidence >= self._spec.threshold
        thresholds = self._quantiles.class_thresholds()
        sets = prediction_set(rows, thresholds, score=self._quantiles.score)
        return sets[0], bool(is_settled(rows, sets)[0])

    def _in_order(self, row: NDArray[np.float64], held: NDArray[np.bool_]) -> tuple[str, ...]:
        order = np.argsort(-row, kind="stable")
        return tuple(self.class_names[index] for index in order if held[index])

    def _embed(self, output: NetworkOutput) -> NDArray[np.float16] | None:
        if self._statistics is None or self._spec.embedding is None:
            return None
        features = output.features[np.newaxis]
        return place(self._statistics, features, self._spec.embedding)[0]

    def _classify_one(self, image: NDArray[np.uint8]) -> Prediction:
        cell = locate(image)
        view = cell.view(self._spec.input_size)
        output = self._look(cell, view)
        if self._statistics is None:
            return self.decide(output)
        height, width = image.shape[:2]
        novelty = float(score(self._statistics, output.features[np.newaxis])[0])
        quality = quality_of(view, cell.nucleus, width, height)
        return self.decide(output, oddness=max(novelty, quality.worst))

    def _examine_one(self, image: NDArray[np.uint8]) -> NetworkOutput:
        cell = locate(image)
        return self._look(cell, cell.view(self._spec.input_size))

    def _look(self, cell: Located, view: NDArray[np.uint8]) -> NetworkOutput:
        """Read the view of a cell, and look closer where that leaves doubt."""
        first, closer = self._engine.run(normalise(view)), self._spec.closer
        if closer is None or not closer.is_wanted(first.logits[np.newaxis])[0]:
            return first
        return first.with_closer(self._engine.run(normalise(cell.view(closer.size))))


def share_of_known(oddness: float) -> float:
    """What oddness leaves of a confidence: all of it in typical cells, half at 1.5, then nothing.

    A smooth step, not a measured probability: it lets one figure rank cells from sure to odd.
    """
    return float(1.0 / (1.0 + np.exp(np.clip(6.0 * (oddness - 1.5), -60.0, 60.0))))


def read_statistics(release_dir: Path, spec: ReleaseSpec) -> NoveltyStatistics | None:
    """The release's novelty statistics, None if it has none; ArtifactError if they are others."""
    if spec.reference_sha256 is None:
        return None
    path = release_dir / REFERENCE_NAME
    statistics = load(path)
    if sha256_of(path) != spec.reference_sha256:
        raise ArtifactError(f"{path} is not the one that the spec names.")
    return statistics
