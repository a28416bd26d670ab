"""Two ways to name the cells of the same files: as this product does, and as a plain app would."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.command_line.files import ImageFile, Item, group, read_ahead, read_item
from ml.calibration import softmax
from ml.inference import ServedClassifier, load_classifier
from ml.preprocessing import to_input
from ml.types import Prediction


@dataclass(slots=True)
class Figures:
    """What one process measured; likeliest classes and probabilities by file."""

    seconds: float
    cpu_seconds: float
    """Of all its cores; what a busy machine changes least."""
    images: int
    single: list[float]
    """Seconds from reading a file to its decision, one at a time."""
    peak_mb: float
    """Largest resident set of the process."""
    decisions: list[str] = field(default_factory=list)
    probabilities: Any = None


def measure_product(release: Path, files: Sequence[Path], singles: int) -> Figures:
    """All files in batches, then the first `singles` again, one at a time."""
    classifier = _warm(release, files[0])
    used = time.process_time()
    predictions, seconds = _classify_all(classifier, files)
    used = time.process_time() - used
    single = []
    for path in files[:singles]:
        began = time.perf_counter()
        _classify(classifier, [read_item(ImageFile(path), "cell")])
        single.append(time.perf_counter() - began)
    names = classifier.class_names
    return Figures(
        seconds=seconds,
        cpu_seconds=used,
        images=len(files),
        single=single,
        peak_mb=_peak_memory(),
        decisions=[prediction.likeliest for prediction in predictions],
        probabilities=[[each.probabilities[name] for name in names] for each in predictions],
    )


def measure_worker(release: Path, files: Sequence[Path], core: int, start: Any) -> float:
    """Seconds that one worker, held to one core, takes for its files once all are ready."""
    os.sched_setaffinity(0, {core})
    classifier = _warm(release, files[0])
    start.wait()
    return _classify_all(classifier, files)[1]


def _warm(release: Path, file: Path) -> ServedClassifier:
    classifier = load_classifier(release)
    _classify(classifier, [read_item(ImageFile(file), "cell")])
    return classifier


def _classify_all(
    classifier: ServedClassifier, files: Sequence[Path]
) -> tuple[list[Prediction], float]:
    """Read files ahead in threads and classify them in batches, as `manage.py classify` does."""
    predictions: list[Prediction] = []
    began = time.perf_counter()
    for batch in group(read_ahead(map(ImageFile, files), "cell")):
        predictions += _classify(classifier, batch)
    return predictions, time.perf_counter() - began


def _classify(classifier: ServedClassifier, items: Sequence[Item]) -> list[Prediction]:
    return classifier.classify([item.pixels for item in items if item.pixels is not None])


def measure_plain(release: Path, files: Sequence[Path], timed: int) -> Figures:
    """Open with Pillow and call Keras' `predict` for each picture; same network, same view.

    The first `timed` files are timed; the others are decided to be compared.
    """
    from ml.keras_release import load_model  # noqa: PLC0415 - TensorFlow, for this process alone

    spec, model = load_model(release)

    def predict(path: Path) -> NDArray[np.float32]:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        logits = look(pixels, spec.input_size)
        if spec.closer and spec.closer.is_wanted(logits)[0]:
            logits = np.mean([logits, look(pixels, spec.closer.size)], axis=0)
        return logits

    def look(pixels: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
        return np.asarray(model.predict(to_input(pixels, size)[np.newaxis], verbose=0))

    for size in [spec.input_size, *([spec.closer.size] if spec.closer else [])]:
        look(np.zeros((size, size, 3), dtype=np.uint8), size)
    single = []
    found = []
    used = time.process_time()
    for path in files[:timed]:
        began = time.perf_counter()
        found.append(predict(path))
        single.append(time.perf_counter() - began)
    used = time.process_time() - used
    figures = Figures(sum(single), used, len(single), single, _peak_memory())
    found += [predict(path) for path in files[timed:]]
    figures.probabilities = softmax(np.concatenate(found), spec.temperature)
    figures.decisions = [spec.class_names[int(row.argmax())] for row in figures.probabilities]
    return figures


def _peak_memory() -> float:
    """Largest resident set of this process so far, MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024
