"""A model release on disk: weights, the spec that describes them, and the model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ml.classes import CELL_CLASSES
from ml.conformal import Quantiles
from ml.errors import ArtifactError
from ml.looks import CloserLook
from ml.preprocessing import PREPROCESSING
from ml.referral import Referral

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Spec = TypeVar("Spec")

WEIGHTS_NAME: Final = "model.weights.h5"
SPEC_NAME: Final = "spec.json"
CARD_NAME: Final = "CARD.md"
SUMMARY_NAME: Final = "model_summary.txt"
RELEASES: Final = Path(__file__).resolve().parent / "releases"
DEFAULT_RELEASE: Final = RELEASES / "cells8-mobilenetv2-1.3.0"
FOUR_CLASS_RELEASE: Final = RELEASES / "cells4-mobilenetv2-1.1.0"
DEFAULT_DETECTOR: Final = RELEASES / "detector-mobilenetv2-1.0.0"
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
    referral: Referral | None = None
    """The conformal sets that say which cells are named; None leaves that to `threshold`."""
    confusion_of_accepted: tuple[tuple[int, ...], ...] | None = None
    """Validation cells that weren't referred: rows the truth, columns the name, both in the order
    of `class_names`; None if they weren't counted."""
    embedding: int | None = None
    """Length of the vectors that tell alike cells, on the axes of reference.npz; None if none."""
    morphology_sha256: str | None = None
    """Of morphology.npz, the heads that describe a cell; None if the release has none."""
    code: Mapping[str, str] | None = None
    """What made it: `sha256` over the package's modules, and `commit` where git knew it; None in
    releases that are older than this field."""

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
        self._check_referral()

    def _check_referral(self) -> None:
        if self.referral is not None and self.referral_quantiles() is None:
            raise ArtifactError(f"No quantiles were fitted for the referral: {self.referral}.")
        matrix, count = self.confusion_of_accepted, len(self.class_names)
        if matrix is not None and [len(row) for row in matrix] != [count] * count:
            raise ArtifactError("The confusion of accepted cells doesn't fit the classes.")

    def referral_quantiles(self) -> Quantiles | None:
        """The quantiles of the sets that decide; None if a threshold decides."""
        fitted = [Quantiles.from_dict(each) for each in (self.conformal or {}).get("quantiles", ())]
        wanted = self.referral
        if wanted is None:
            return None
        found = [q for q in fitted if (q.score, q.alpha) == (wanted.score, wanted.alpha)]
        return found[0] if found else None


def read_spec(release_dir: Path) -> ReleaseSpec:
    """Read and check spec.json; raises ArtifactError when it is missing or malformed."""
    return read_spec_as(_to_spec, release_dir)


def read_spec_as(make: Callable[[dict[str, Any]], Spec], release_dir: Path) -> Spec:
    """Make a spec of the fields of spec.json; raises ArtifactError if they make none."""
    path = release_dir / SPEC_NAME
    try:
        return make(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ArtifactError(f"No model release in {release_dir}: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactError(f"{path} is not a release spec: {error}.") from error


def _to_spec(fields: dict[str, Any]) -> ReleaseSpec:
    fields["class_names"] = tuple(fields["class_names"])
    if fields.get("closer"):
        fields["closer"] = CloserLook(**fields["closer"])
    if fields.get("referral"):
        fields["referral"] = Referral(**fields["referral"])
    if fields.get("confusion_of_accepted"):
        fields["confusion_of_accepted"] = tuple(map(tuple, fields["confusion_of_accepted"]))
    return ReleaseSpec(**fields)


def verify(release_dir: Path) -> ReleaseSpec:
    """Return the spec if the weights are the very bytes it names; else raise ArtifactError."""
    spec = read_spec(release_dir)
    check_weights(release_dir, spec.sha256)
    return spec


def check_weights(release_dir: Path, sha256: str) -> None:
    """Raise ArtifactError unless the weights in a folder are those of this hash."""
    path = release_dir / WEIGHTS_NAME
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}.") from error
    if found != sha256:
        raise ArtifactError(
            f"{path} is not the released model: SHA-256 {found}, but the spec names {sha256}."
        )


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_spec(release_dir: Path, spec: DataclassInstance) -> None:
    """Write spec.json, laid out so that two releases can be compared line by line."""
    text = json.dumps(asdict(spec), indent=2, ensure_ascii=False, allow_nan=False)
    (release_dir / SPEC_NAME).write_text(text + "\n", encoding="utf-8")
