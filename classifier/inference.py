"""The door between Django and the models: finds, verifies and caches the active releases."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings

from classifier import model_store
from ml.artifacts import DEFAULT_DETECTOR, DEFAULT_RELEASE, ReleaseSpec, verify
from ml.errors import NotAtHand

if TYPE_CHECKING:
    from classifier.models import ModelVersion
    from ml.detection.inference import ServedDetector
    from ml.explain import Explainer
    from ml.inference import CellClassifier

_loading = Lock()


def active_release_dir() -> Path:
    """The folder named by the setting MODEL_RELEASE, or else the release that ships."""
    return Path(settings.MODEL_RELEASE or DEFAULT_RELEASE)


def active_release() -> ReleaseSpec:
    """The active release's spec, its weights verified; safe in any process, as it loads no model.

    Raises ArtifactError if the release is missing or is not what its spec says.
    """
    return verify(active_release_dir())


def active_detector_dir() -> Path:
    """The folder named by the setting DETECTOR_RELEASE, or else the detector that ships."""
    return Path(settings.DETECTOR_RELEASE or DEFAULT_DETECTOR)


def get_classifier() -> CellClassifier:
    """The active release, loaded on the first call and kept for the life of this process.

    Call it in the process that classifies and never before forking one: the classifier's threads
    are lost in a fork. Raises ArtifactError as `active_release` does.
    """
    with _loading:
        return _load(active_release_dir())


def get_detector() -> ServedDetector:
    """The active detector, loaded and kept as `get_classifier` does; ArtifactError likewise."""
    with _loading:
        return _load_detector(active_detector_dir())


def get_explainer() -> Explainer:
    """What explains the active release's answers, loaded and kept as `get_classifier` does.

    Give it the uint8 RGB crop that was classified: `cut_cells` of the field for a field's cell.
    """
    with _loading:
        return _load_explainer(active_release_dir())


def get_classifier_of(version: ModelVersion) -> CellClassifier:
    """The release of a registered version, loaded and kept as `get_classifier` does.

    Where the store has it, the very bytes that were registered; else the installed release, if
    that is the version. Raises ArtifactError if neither has it, or it isn't what it was.
    """
    if version.release_sha256:
        with _loading:
            return _load(_stored(version.release_sha256))
    installed = get_classifier()
    if (installed.name, installed.version, installed.sha256) != _identity(version):
        raise NotAtHand(f"{version} is neither installed nor in the store.")
    return installed


def get_explainer_of(version: ModelVersion) -> Explainer:
    """What explains the answers of a registered version; found as `get_classifier_of` does."""
    if version.release_sha256:
        with _loading:
            return _load_explainer(_stored(version.release_sha256))
    installed = get_explainer()
    if installed.model != _identity(version):
        raise NotAtHand(f"{version} is neither installed nor in the store.")
    return installed


def _identity(version: ModelVersion) -> tuple[str, str, str]:
    return version.name, version.version, version.sha256


@lru_cache(maxsize=8)
def _stored(digest: str) -> Path:
    return model_store.fetch(digest)


@lru_cache(maxsize=4)
def _load(release_dir: Path) -> CellClassifier:
    # Imported here, so that a process that never classifies loads no engine.
    from ml.inference import load_classifier  # noqa: PLC0415

    return load_classifier(release_dir)


@lru_cache(maxsize=2)
def _load_detector(release_dir: Path) -> ServedDetector:
    from ml.detection.inference import load_detector  # noqa: PLC0415 - as above

    return load_detector(release_dir)


@lru_cache(maxsize=4)
def _load_explainer(release_dir: Path) -> Explainer:
    from ml.explain import load_explainer  # noqa: PLC0415 - as above

    return load_explainer(release_dir)
