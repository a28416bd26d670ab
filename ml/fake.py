"""A deterministic stand-in for the trained classifier: same protocol, no TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.classes import CELL_CLASSES, UNIDENTIFIED
from ml.detection.objects import Detection, FieldReading, FieldScale
from ml.types import Prediction


class FakeClassifier:
    """Answers from a hash of the pixels, so the same image always gets the same answer.

    `answers` overrides that: image i of every call gets answer i modulo its length.
    A name of `CELL_CLASSES` gives 0.97 confidence; "unidentified" gives a referred prediction with
    two candidates. Embeddings of cells with the same likeliest class lie together.
    """

    name = "fake"
    version = "0.0.0"
    sha256 = hashlib.sha256(b"fake classifier").hexdigest()
    class_names: tuple[str, ...] = CELL_CLASSES

    def __init__(self, answers: Sequence[str] = ()) -> None:
        unknown = set(answers) - {*CELL_CLASSES, UNIDENTIFIED}
        if unknown:
            raise ValueError(f"no such cell class: {sorted(unknown)}")
        self._answers = tuple(answers)

    def classify(self, images: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """Predict each uint8[H, W, 3] image of the batch."""
        return [self._predict(index, image) for index, image in enumerate(images)]

    def _predict(self, index: int, image: NDArray[np.uint8]) -> Prediction:
        digest = hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()
        likeliest = self.class_names[digest[0] % len(self.class_names)]
        if self._answers:
            answer = self._answers[index % len(self._answers)]
            if answer == UNIDENTIFIED:
                return self._spread(likeliest, digest, confidence=0.4)
            likeliest = answer
        return self._spread(likeliest, digest, confidence=0.97)

    def _spread(self, likeliest: str, digest: bytes, *, confidence: float) -> Prediction:
        rest = (1.0 - confidence) / (len(self.class_names) - 1)
        probabilities = dict.fromkeys(self.class_names, rest) | {likeliest: confidence}
        referred = confidence < 0.5
        others = tuple(name for name in self.class_names if name != likeliest)
        return Prediction(
            cell_type=UNIDENTIFIED if referred else likeliest,
            confidence=confidence,
            probabilities=probabilities,
            referred=referred,
            candidates=(likeliest, others[0]) if referred else (likeliest,),
            embedding=self._embed(likeliest, digest),
        )

    def _embed(self, likeliest: str, digest: bytes) -> NDArray[np.float16]:
        """A direction a class, and a little of what the pixels' hash says."""
        vector = np.frombuffer(digest, dtype=np.uint8).repeat(2) / 255.0 - 0.5
        vector[self.class_names.index(likeliest)] += 4.0
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float16)


class FakeDetector:
    """Finds the same given cells in every field, as a detector released would report them."""

    name = "fake-detector"
    version = "0.0.0"
    sha256 = hashlib.sha256(b"fake detector").hexdigest()

    def __init__(self, detections: Sequence[Detection], *, red_cell: float = 40.0) -> None:
        self.detections = tuple(detections)
        self.red_cell = red_cell

    def detect(self, pixels: NDArray[np.uint8]) -> FieldReading:
        """Answer as `FieldDetector.detect`, whatever the uint8[H, W, 3] field shows."""
        return FieldReading(FieldScale(self.red_cell, 3, "erythrocytes"), self.detections)
