"""A deterministic stand-in for the trained classifier: same protocol, no TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.classes import CELL_CLASSES, UNIDENTIFIED
from ml.types import Prediction


class FakeClassifier:
    """Answers from a hash of the pixels, so the same image always gets the same answer.

    `answers` overrides that: image i of every call gets answer i modulo its length.
    A name of `CELL_CLASSES` gives 0.97 confidence; "unidentified" gives a referred prediction.
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
                return self._spread(likeliest, confidence=0.4)
            likeliest = answer
        return self._spread(likeliest, confidence=0.97)

    def _spread(self, likeliest: str, *, confidence: float) -> Prediction:
        rest = (1.0 - confidence) / (len(self.class_names) - 1)
        probabilities = dict.fromkeys(self.class_names, rest) | {likeliest: confidence}
        referred = confidence < 0.5
        return Prediction(
            cell_type=UNIDENTIFIED if referred else likeliest,
            confidence=confidence,
            probabilities=probabilities,
            referred=referred,
        )
