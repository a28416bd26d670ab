"""A release of the detector on disk: what has to be known to serve it; no TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.artifacts import check_weights, read_spec_as
from ml.detection.objects import KINDS, RED_CELL, STRIDE
from ml.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """spec.json; `sha256` is over the weights, `thresholds` are least confidences by kind."""

    name: str
    version: str
    architecture: str
    kinds: tuple[str, ...]
    stride: int
    red_cell: int
    sha256: str
    thresholds: Mapping[str, float]
    metrics: Mapping[str, Any]
    data: Mapping[str, Any]
    training: Mapping[str, Any]

    def __post_init__(self) -> None:
        if (self.kinds, self.stride, self.red_cell) != (KINDS, STRIDE, RED_CELL):
            raise ArtifactError("The detector finds other kinds, or sees them at another scale.")
        is_usable = set(self.thresholds) == set(KINDS) and all(
            0.0 < value < 1.0 for value in self.thresholds.values()
        )
        if not is_usable:
            raise ArtifactError(f"The thresholds are not usable: {dict(self.thresholds)}.")


def read_detector_spec(release_dir: Path) -> DetectorSpec:
    """Read and check spec.json; raises ArtifactError when it is missing or malformed."""
    return read_spec_as(_to_spec, release_dir)


def verify_detector(release_dir: Path) -> DetectorSpec:
    """Return the spec if the weights are the very bytes it names; else raise ArtifactError."""
    spec = read_detector_spec(release_dir)
    check_weights(release_dir, spec.sha256)
    return spec


def _to_spec(fields: dict[str, Any]) -> DetectorSpec:
    return DetectorSpec(**{**fields, "kinds": tuple(fields["kinds"])})
