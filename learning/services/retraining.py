"""Candidates made here: asked for by a person, trained in a process of their own, then judged."""

import json
import logging
import shutil
import subprocess
import sys
import tempfile
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit import record
from classifier import model_store
from classifier.exceptions import DomainError, GuardFailed, NotPermitted
from classifier.models import ModelVersion
from learning import dispatch, policies
from learning.enums import OPEN_WORK, Origin, TrainingState, WorkStatus
from learning.models import LabelledSet, Retraining, TrainingSet
from learning.selectors.golden import list_frozen
from learning.services.comparisons import compare
from learning.services.evaluations import ask_evaluation
from learning.services.releases import register_candidate
from learning.services.training_sets import manifest_cells
from ml.artifacts import read_spec
from ml.errors import MLError
from ml.training_sets import TrainingSet as Manifest
from ml.training_sets import next_version, write_set

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
MOST_ATTEMPTS = 3
MESSAGE_LIMIT = 250

DIED = "The process that trained stopped, or took too long. Try again, or take a smaller set."
STOPPED = "The worker stopped several times on this retraining."
UNEXPECTED = "It could not be trained because of a fault here. Try again later."


class TrainingFailed(DomainError):
    """Nothing came of it; the words are for whoever asked."""


@transaction.atomic
def ask_retraining(*, set_id: uuid.UUID, actor: "User") -> Retraining:
    """Have a candidate made of the version in use and a frozen set; what is under way stays.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: the set is not frozen, or no version in use is kept here.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")
    chosen = TrainingSet.objects.select_for_update().get(pk=set_id)
    if chosen.state != TrainingState.FROZEN:
        raise GuardFailed("A model learns from frozen sets only.")
    base = ModelVersion.objects.filter(is_active=True).first()
    if base is None or not base.release_sha256:
        raise GuardFailed("The version in use is not kept here: register its release first.")
    known = chosen.retrainings.filter(base=base).exclude(status=WorkStatus.FAILED).first()
    if known:
        return known
    asked = Retraining.objects.create(training_set=chosen, base=base, asked_by=actor)
    record(
        actor=actor,
        action="retraining.asked",
        target=asked,
        after={"set": chosen.digest, "base": str(base)},
    )
    dispatch.retrain_waiting()
    return asked


def retrain_waiting() -> None:
    """Train what waits, one after the other, and judge what has been evaluated meanwhile."""
    while asked := _claim():
        _work_on(asked)
    judge_evaluated()


def judge_evaluated() -> None:
    """Compare each new candidate with the version in use once both have read every frozen set."""
    for asked in Retraining.objects.filter(status=WorkStatus.DONE, is_judged=False):
        frozen = list(list_frozen())
        if asked.version is None or any(not _has_read(asked.version, each) for each in frozen):
            continue
        for each in frozen:
            with suppress(DomainError):  # another came in use meanwhile, or nobody may judge
                compare(version_id=asked.version.pk, set_id=each.pk, actor=asked.asked_by)
        Retraining.objects.filter(pk=asked.pk).update(is_judged=True)


def _has_read(version: ModelVersion, labelled_set: LabelledSet) -> bool:
    """Whether the candidate is done with a set and the version in use is too, well or badly."""
    waiting = Q(status__in=OPEN_WORK)
    both = Q(version=version) | Q(version__is_active=True)
    return not labelled_set.evaluations.filter(both & waiting).exists()


@transaction.atomic
def _claim() -> Retraining | None:
    """Claim what waits, or what a vanished worker left, while no other worker trains.

    One at a time, so that another worker stays free for what is urgent.
    """
    waiting = Retraining.objects.filter(status__in=OPEN_WORK).order_by("asked_at")
    listed = list(waiting.select_for_update(of=("self",)))
    if not listed or any(each.is_trained_at(timezone.now()) for each in listed):
        return None
    found = listed[0]
    found.attempt += 1
    if found.attempt > MOST_ATTEMPTS:
        _fail(found, STOPPED)
        return None
    found.status, found.lease_expires_at = WorkStatus.RUNNING, Now() + LEASE
    found.save(update_fields=["status", "attempt", "lease_expires_at"])
    return found


def _work_on(asked: Retraining) -> None:
    """Train in a folder of its own, and register what comes of it; faults are told in words."""
    try:
        with tempfile.TemporaryDirectory(prefix="retraining-") as room:
            set_dir, out = Path(room) / "set", Path(room) / "release"
            _export(asked.training_set, set_dir)
            _train(asked, set_dir, out)
            _say(asked, "Trying the candidate", 0, 1)
            version = register_candidate(
                out, origin=Origin.RETRAINED, actor=asked.asked_by, note=str(asked.training_set)
            )
    except (DomainError, MLError) as refusal:
        _fail(asked, str(refusal))
    except OSError:
        logger.exception("%s failed.", asked)
        _fail(asked, UNEXPECTED)
    else:
        _finish(asked, version)


def _export(training_set: TrainingSet, folder: Path) -> None:
    """Lay out a frozen set as `ml retrain` takes it."""
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


def _train(asked: Retraining, set_dir: Path, out: Path) -> None:
    """Run `ml retrain`, bounded in time and memory, and note each step that it tells."""
    base = model_store.fetch(asked.base.release_sha256)
    command = [sys.executable, "-m", "ml", "retrain", "--set", str(set_dir)]
    command += ["--release", str(base), "--out", str(out), "--version", _version_for(base)]
    command += ["--most-memory", str(settings.RETRAINING_MEMORY_BYTES)]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        stop = Timer(settings.RETRAINING_SECONDS, process.kill)
        stop.start()
        try:
            for line in process.stdout or ():
                _note(asked, line)
        finally:
            stop.cancel()
        if process.wait():
            errors.seek(0)
            raise TrainingFailed(_words(errors.read()))


def _note(asked: Retraining, line: str) -> None:
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(line)
        _say(asked, told["step"], told["done"], told["total"])


def _say(asked: Retraining, step: str, done: int, total: int) -> None:
    """Show progress, and that the worker is alive."""
    Retraining.objects.filter(pk=asked.pk, status=WorkStatus.RUNNING).update(
        step=step, done=done, total=total, lease_expires_at=Now() + LEASE
    )


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
        logger.error("A retraining died: %s", stderr[-2000:])
        return DIED
    return lines[-1].removeprefix("error: ")


@transaction.atomic
def _finish(asked: Retraining, version: ModelVersion) -> None:
    """Tie the candidate to its set, and have it and the version in use read all frozen sets."""
    changed = Retraining.objects.filter(pk=asked.pk, status=WorkStatus.RUNNING).update(
        status=WorkStatus.DONE, version=version, lease_expires_at=None, finished_at=Now()
    )
    if not changed:
        return
    record(
        actor=asked.asked_by,
        action="retraining.done",
        target=version,
        after={"set": asked.training_set.digest, "base": str(asked.base)},
    )
    both = ModelVersion.objects.filter(Q(pk=version.pk) | Q(is_active=True))
    for labelled_set in list_frozen():
        for each in both:
            ask_evaluation(version_id=each.pk, set_id=labelled_set.pk, actor=asked.asked_by)


@transaction.atomic
def _fail(asked: Retraining, message: str) -> None:
    changed = Retraining.objects.filter(pk=asked.pk, status__in=OPEN_WORK).update(
        status=WorkStatus.FAILED,
        message=message[:MESSAGE_LIMIT],
        lease_expires_at=None,
        finished_at=Now(),
    )
    if changed:
        record(
            actor=asked.asked_by,
            action="retraining.failed",
            target=asked,
            after={"why": message},
        )
