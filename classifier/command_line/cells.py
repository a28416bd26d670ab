"""Classify pictures of single cells, and describe what was found, as `classify` prints it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.command_line.files import ImageFile, Item
from classifier.inference import get_classifier
from ml.types import BoundingBox, Prediction

Line = dict[str, Any]
"""What is said of one file, as JSON has it."""


def classify_batch(batch: Sequence[Item]) -> list[Line]:
    """Classify the readable images of a batch in one call; lines in the batch's order."""
    readable = [item for item in batch if item.pixels is not None]
    if not readable:
        return [failed(item.file, item.error) for item in batch]
    classifier = get_classifier()
    started = time.perf_counter()
    images = [item.pixels for item in readable if item.pixels is not None]
    predictions = iter(classifier.classify(images))
    share = (time.perf_counter() - started) / len(readable)
    model = {"name": classifier.name, "version": classifier.version}
    return [
        failed(item.file, item.error)
        if item.pixels is None
        else _line(item, item.pixels, next(predictions), model, share)
        for item in batch
    ]


def failed(file: ImageFile, error: str) -> Line:
    """What is said of a file that gave nothing."""
    return {"file": str(file.path), "error": error}


def describe_prediction(prediction: Prediction) -> Line:
    """A named cell's part of the line, after its box and type."""
    return {
        "confidence": round(prediction.confidence, 6),
        "probabilities": {
            name: round(value, 6) for name, value in prediction.probabilities.items()
        },
        "referred": prediction.referred,
        "candidates": list(prediction.candidates),
        "likeliest": prediction.likeliest,
        "oddness": None if prediction.oddness is None else round(prediction.oddness, 4),
    }


def _line(
    item: Item,
    pixels: NDArray[np.uint8],
    prediction: Prediction,
    model: dict[str, str],
    share: float,
) -> Line:
    height, width = pixels.shape[:2]
    cell = {"box": BoundingBox(0, 0, width, height).as_list(), "type": prediction.cell_type}
    return {
        "file": str(item.file.path),
        "sha256": item.sha256,
        "kind": "cell",
        "model": model,
        "cells": [cell | describe_prediction(prediction)],
        "seconds": round(item.seconds + share, 4),
    }
