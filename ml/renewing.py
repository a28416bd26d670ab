"""Release the weights of an older release again, in today's serving form."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from ml.artifacts import SUMMARY_NAME, WEIGHTS_NAME, ReleaseSpec, verify
from ml.card import publish
from ml.embedding import EMBEDDING_SIZE
from ml.errors import ArtifactError
from ml.exporting import export_release
from ml.novelty import REFERENCE_NAME


def renew_release(release_dir: Path, version: str) -> Path:
    """Copy a release's weights and statistics into a folder beside it, and export them anew.

    The copy gives embeddings where it has statistics. Nothing is trained or fitted. Raises
    ArtifactError if the release isn't what its spec says, or the folder is there already.
    """
    spec = verify(release_dir)
    renewed = release_dir.parent / f"{spec.name}-{version}"
    if renewed.exists():
        raise ArtifactError(f"{renewed} is there already.")
    renewed.mkdir()
    for name in (WEIGHTS_NAME, SUMMARY_NAME, REFERENCE_NAME):
        if (release_dir / name).is_file():
            shutil.copyfile(release_dir / name, renewed / name)
    publish(renewed, _renewed(spec, version))
    export_release(renewed)
    return renewed


def _renewed(spec: ReleaseSpec, version: str) -> ReleaseSpec:
    embedding = EMBEDDING_SIZE if spec.reference_sha256 else None
    return replace(spec, version=version, embedding=embedding)
