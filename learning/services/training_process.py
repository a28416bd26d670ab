"""The process that makes a candidate: its set laid out, its steps noted, stopped when unwanted."""

import logging
import shutil
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from classifier import model_store
from classifier.exceptions import DomainError
from classifier.models import Laboratory, ModelVersion
from learning.enums import Method, WorkStatus
from learning.models import Retraining, TrainingSet
from learning.services.apart import run_apart
from learning.services.training_sets import manifest_cells
from ml.artifacts import read_spec
from ml.training_sets import TrainingSet as Manifest
from ml.training_sets import next_version, write_set

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
DIED = "The process that trained stopped, or took too long. Try again, or take a smaller set."


class TrainingFailed(DomainError):
    """Nothing came of it; the words are for whoever asked."""


class TrainingStopped(DomainError):
    """Somebody stopped it, or another worker has taken it over: nothing is to be noted."""


def make_release(asked: Retraining, room: Path) -> Path:
    """Train in a folder that is the caller's to remove; return the release's folder.

    Raises:
        TrainingFailed: it couldn't be trained, or took too long.
        TrainingStopped: the work is no longer this worker's.
    """
    set_dir, out = room / "set", room / "release"
    _lay_out(asked.training_set, set_dir)
    problem = run_apart(
        _command(asked, set_dir, out),
        room=room,
        seconds=settings.RETRAINING_SECONDS,
        show=partial(hold, asked),
    )
    if problem is not None:
        raise TrainingFailed(_words(problem))
    return out


def hold(asked: Retraining, *, lease: timedelta = LEASE, **shown: Any) -> None:
    """Keep the claim and show what is being done.

    Raises:
        TrainingStopped: the work is no longer this worker's.
    """
    own = Retraining.objects.filter(pk=asked.pk, status=WorkStatus.RUNNING, attempt=asked.attempt)
    if not own.update(lease_expires_at=Now() + lease, **shown):
        raise TrainingStopped(f"{asked} was stopped.")


def _lay_out(training_set: TrainingSet, folder: Path) -> None:
    """Lay out a frozen set as `ml` takes it."""
    folder.mkdir()
    for cell in training_set.cells.filter(left_out=""):
        with cell.file.open("rb") as source, (folder / f"{cell.cell_id}.png").open("wb") as target:
            shutil.copyfileobj(source, target)
    basis = training_set.basis
    write_set(
        folder,
        Manifest(
            name=str(training_set),
            words=f"Cells of signed cases, {training_set.since} to {training_set.until}. "
            f"Basis of use {basis.version}: {basis.words}",
            licence=basis.licence,
            digest=training_set.digest,
            cells=manifest_cells(training_set),
        ),
    )


def _command(asked: Retraining, set_dir: Path, out: Path) -> list[str]:
    base = model_store.fetch(asked.base.release_sha256)
    command = [sys.executable, "-m", "ml", str(asked.method), "--set", str(set_dir)]
    command += ["--release", str(base), "--out", str(out), "--version", _version_for(base)]
    command += ["--most-memory", str(settings.RETRAINING_MEMORY_BYTES)]
    if asked.method == Method.ADAPT:
        command.append(f"--laboratory={Laboratory.current().name}")
    return command


def _version_for(base_dir: Path) -> str:
    """The next free number of the laboratory's own line of this release."""
    spec = read_spec(base_dir)
    version = next_version(spec.version)
    while ModelVersion.objects.filter(name=spec.name, version=version).exists():
        version = next_version(version)
    return version


def _words(stderr: str) -> str:
    """The sentence with which it ended; the rest is for the log."""
    lines = [line for line in stderr.splitlines() if line.startswith("error: ")]
    if not lines:
        logger.error("A training died: %s", stderr[-2000:])
        return DIED
    return lines[-1].removeprefix("error: ")
