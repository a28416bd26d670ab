"""The door between Django and the models: finds, verifies and caches the active release."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings

from ml.artifacts import DEFAULT_RELEASE, ReleaseSpec, verify

if TYPE_CHECKING:
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


def get_classifier() -> CellClassifier:
    """The active release, loaded on the first call and kept for the life of this process.

    Call it in the process that classifies and never before forking one: the classifier's threads
    are lost in a fork. Raises ArtifactError as `active_release` does.
    """
    with _loading:
        return _load(active_release_dir())


@lru_cache(maxsize=2)
def _load(release_dir: Path) -> CellClassifier:
    # Imported here, so that a process that never classifies loads no engine.
    from ml.inference import load_classifier  # noqa: PLC0415

    return load_classifier(release_dir)
