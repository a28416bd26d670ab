"""Open a release as a worker would and let it read drawn cells, before anybody relies on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from ml.classes import CELL_CLASSES
from ml.errors import ArtifactError
from ml.explain import load_explainer
from ml.fingerprints import digest_of, manifest_of
from ml.inference import load_classifier
from ml.synthetic import render_cell
from ml.types import Prediction

CELLS: Final = 8
SIZE: Final = 96


@dataclass(frozen=True, slots=True)
class Probe:
    """What a release did with drawn cells: its identity, and milliseconds a cell."""

    name: str
    version: str
    sha256: str
    digest: str
    cells: int
    ms_per_cell: float
    explains: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def probe(release_dir: Path) -> Probe:
    """Verify, load and try a release; ArtifactError if it can't serve.

    Each drawn cell, uint8[96, 96, 3] RGB, must get a probability for every class of the spec,
    finite and summing to 1 within 1e-3.
    """
    classifier = load_classifier(release_dir)
    images = [render_cell(name, seed=1, size=SIZE) for name in CELL_CLASSES[:CELLS]]
    started = perf_counter()
    found = classifier.classify(images)
    took = (perf_counter() - started) * 1000 / len(images)
    for prediction in found:
        _check(prediction, classifier.class_names)
    return Probe(
        name=classifier.name,
        version=classifier.version,
        sha256=classifier.sha256,
        digest=digest_of(manifest_of(release_dir)),
        cells=len(images),
        ms_per_cell=round(took, 2),
        explains=_explains(release_dir),
    )


def _check(prediction: Prediction, class_names: tuple[str, ...]) -> None:
    values = list(prediction.probabilities.values())
    is_sound = set(prediction.probabilities) == set(class_names) and all(map(math.isfinite, values))
    if not is_sound or abs(sum(values) - 1.0) > 1e-3:
        raise ArtifactError("The release answers with something else than probabilities.")


def _explains(release_dir: Path) -> bool:
    """Whether it can say why; an older serving form can't, and may serve all the same."""
    try:
        load_explainer(release_dir)
    except ArtifactError:
        return False
    return True
