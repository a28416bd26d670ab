"""A model release on disk: weights, the spec that describes them, and the model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ml.classes import CELL_CLASSES
from ml.errors import ArtifactError
from ml.looks import CloserLook
from ml.preprocessing import PREPROCESSING

WEIGHTS_NAME: Final = "model.weights.h5"
SPEC_NAME: Final = "spec.json"
CARD_NAME: Final = "CARD.md"
SUMMARY_NAME: Final = "model_summary.txt"
RELEASES: Final = Path(__file__).resolve().parent / "releases"
DEFAULT_RELEASE: Final = RELEASES / "cells8-mobilenetv2-1.2.0"
FOUR_CLASS_RELEASE: Final = RELEASES / "cells4-mobilenetv2-1.0.1"
RELEASED: Final = (DEFAULT_RELEASE, FOUR_CLASS_RELEASE)


@dataclass(frozen=True, slots=True)
class ReleaseSpec:
    """What has to be known to serve a release; `sha256` is over the weights file."""

    name: str
    version: str
    architecture: str
    class_names: tuple[str, ...]
    input_size: int
    preprocessing: str
    sha256: str
    temperature: float
    threshold: float
    metrics: Mapping[str, Any]
    data: Mapping[str, Any]
    training: Mapping[str, Any]
    closer: CloserLook | None = None
    """How cells left in doubt are looked at again; None if they are not."""
    reference_sha256: str | None = None
    """Of reference.npz, the novelty statistics; None if the release has none."""
    conformal: Mapping[str, Any] | None = None
    """Quantiles of split conformal sets, by miscoverage; None if none were fitted."""

    def __post_init__(self) -> None:
        unknown = set(self.class_names) - set(CELL_CLASSES)
        if unknown or len(set(self.class_names)) != len(self.class_names):
            raise ArtifactError(f"The class order is not usable: {list(self.class_names)}.")
        if len(self.class_names) < 2:
            raise ArtifactError("A release names at least two classes.")
        if self.preprocessing != PREPROCESSING:
            raise ArtifactError(f"Unknown preprocessing {self.preprocessing!r}.")
        if not (0.0 <= self.threshold <= 1.0 and self.temperature > 0.0 and self.input_size > 0):
            raise ArtifactError("Threshold, temperature or input size is out of range.")
        if self.closer and (self.closer.size % 32 or self.closer.temperature <= 0.0):
            raise ArtifactError("Temperature or size of the closer look is out of range.")


def read_spec(release_dir: Path) -> ReleaseSpec:
    """Read and check spec.json; raises ArtifactError when it is missing or malformed."""
    path = release_dir / SPEC_NAME
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["class_names"] = tuple(fields["class_names"])
        if fields.get("closer"):
            fields["closer"] = CloserLook(**fields["closer"])
        return ReleaseSpec(**fields)
    except OSError as error:
        raise ArtifactError(f"No model release in {release_dir}: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactError(f"{path} is not a release spec: {error}.") from error


def verify(release_dir: Path) -> ReleaseSpec:
    """Return the spec if the weights are the very bytes it names; else raise ArtifactError."""
    spec = read_spec(release_dir)
    path = release_dir / WEIGHTS_NAME
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}.") from error
    if found != spec.sha256:
        raise ArtifactError(
            f"{path} is not the released model: SHA-256 {found}, but the spec names {spec.sha256}."
        )
    return spec


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_spec(release_dir: Path, spec: ReleaseSpec) -> None:
    """Write spec.json with a stable layout, so that two releases can be compared line by line."""
    text = json.dumps(asdict(spec), indent=2, ensure_ascii=False, allow_nan=False)
    (release_dir / SPEC_NAME).write_text(text + "\n", encoding="utf-8")
