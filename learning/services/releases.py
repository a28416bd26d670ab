"""Releases: probed in a process of their own, kept by what they hold, registered as candidates."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from classifier import model_store
from classifier.exceptions import DomainError, NotPermitted
from classifier.models import ModelVersion
from classifier.services.model_versions import add_candidate, note_stored
from learning import policies
from learning.enums import Origin
from learning.models import ModelRelease
from ml.artifacts import read_spec
from ml.errors import ArtifactError
from ml.fingerprints import digest_of, manifest_of

if TYPE_CHECKING:
    from accounts.models import User

PROBE_SECONDS = 180
DIED = "The release brought down the process that tried it, or took too long."


class ReleaseRefused(DomainError):
    """The files are no release that can serve; the words are for whoever brought them."""


def register_candidate(
    path: Path, *, origin: Origin, actor: "User", note: str = ""
) -> ModelVersion:
    """Probe a release (its folder, or a zip or tar of it), keep it, register it as a candidate.

    It reads nothing before it is promoted. The same release again is the same version.

    Raises:
        NotPermitted: the actor doesn't manage models.
        ReleaseRefused: it is no release that can serve.
        DomainError: another release is registered under its name and version.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")
    with probed(path) as (folder, probe):
        digest = model_store.keep(folder)
        spec = read_spec(folder)
        with transaction.atomic():
            version = add_candidate(spec=spec, release_sha256=digest, actor=actor)
            _note(version, folder, digest, actor, {"origin": origin, "note": note, "probe": probe})
    return version


def keep_installed(version: ModelVersion, folder: Path, *, actor: "User") -> ModelVersion:
    """Keep the installed release of a registered version, so that it outlives an upgrade."""
    if version.release_sha256:
        return version
    digest = digest_of(manifest_of(folder))
    if ModelVersion.objects.filter(release_sha256=digest).exists():
        return version
    model_store.keep(folder)
    with transaction.atomic():
        stored = note_stored(version=version, release_sha256=digest, actor=actor)
        _note(stored, folder, digest, actor, {"origin": Origin.INSTALLED})
    return stored


@contextmanager
def probed(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Unpack and try a release in a process with bounded memory and time; its folder is lent.

    Nothing of it is loaded in this process. Raises ReleaseRefused with what is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="release-") as room:
        archive = _packed(path, Path(room)) if path.is_dir() else path
        folder = Path(room) / "release"
        yield folder, _probe(archive, folder)


def _packed(folder: Path, room: Path) -> Path:
    """A folder goes the way of an archive, so that only a release's own files are taken."""
    return Path(shutil.make_archive(str(room / "packed"), "tar", folder))


def _probe(archive: Path, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "ml.commands.probe", str(archive), "--out", str(folder)]
    command += ["--most-bytes", str(settings.MAX_RELEASE_BYTES)]
    try:
        told = subprocess.run(
            command,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReleaseRefused(DIED) from error
    if told.returncode:
        raise ReleaseRefused(words_of(told.stderr) or DIED)
    found: dict[str, Any] = json.loads(told.stdout.strip().splitlines()[-1])
    if found["digest"] != digest_of(manifest_of(folder)):
        raise ReleaseRefused("The release changed while it was tried.")
    return found


def words_of(stderr: str) -> str:
    """The sentence with which a process of `ml` ended, "" if it died without one.

    Paths of this machine are nobody's business.
    """
    lines = [line for line in stderr.splitlines() if line.startswith("error: ")]
    if not lines:
        return ""
    words = lines[-1].removeprefix("error: ")
    return " ".join(word.rsplit("/", 1)[-1] if word.startswith("/") else word
                    for word in words.split())  # fmt: skip


def _note(
    version: ModelVersion,
    folder: Path,
    digest: str,
    actor: "User",
    how: Mapping[str, Any],
) -> None:
    """Write the release's row, once."""
    try:
        spec = asdict(read_spec(folder))
    except ArtifactError as error:
        raise ReleaseRefused(str(error)) from error
    ModelRelease.objects.get_or_create(
        version=version,
        defaults={
            "digest": digest,
            "files": manifest_of(folder),
            "spec": json.loads(json.dumps(spec)),
            "added_by": actor,
            **how,
        },
    )
