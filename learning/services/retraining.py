"""Candidates made here: asked for by a person, trained in a process of their own, then judged."""

import logging
import tempfile
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import DomainError, GuardFailed, NotPermitted
from classifier.models import ModelVersion
from learning import dispatch, policies
from learning.enums import OPEN_WORK, Method, Origin, TrainingState, WorkStatus
from learning.models import LabelledSet, Retraining, TrainingSet
from learning.selectors.golden import list_frozen
from learning.services.comparisons import compare
from learning.services.enough import check_enough
from learning.services.evaluations import ask_evaluation
from learning.services.releases import PROBE_SECONDS, register_candidate
from learning.services.training_process import LEASE, TrainingStopped, hold, make_release
from ml.errors import MLError

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
MESSAGE_LIMIT = 250
TRYING = timedelta(seconds=PROBE_SECONDS + 60)

WORN_OUT = "The worker stopped several times on this training."
UNEXPECTED = "It could not be trained because of a fault here. Try again later."


@transaction.atomic
def ask_retraining(*, set_id: uuid.UUID, method: Method, actor: "User") -> Retraining:
    """Have a candidate made of the version in use and a frozen set; what is under way stays.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: the set is not frozen or has too few cells, or no version in use is kept here.
    """
    _check(actor)
    chosen = TrainingSet.objects.select_for_update().get(pk=set_id)
    if chosen.state != TrainingState.FROZEN:
        raise GuardFailed("A model learns from frozen sets only.")
    base = ModelVersion.objects.filter(is_active=True).first()
    if base is None or not base.release_sha256:
        raise GuardFailed("The version in use is not kept here: register its release first.")
    known = chosen.retrainings.filter(
        base=base, method=method, status__in=[*OPEN_WORK, WorkStatus.DONE]
    ).first()
    if known:
        return known
    check_enough(method, chosen, base)
    asked = Retraining.objects.create(training_set=chosen, base=base, method=method, asked_by=actor)
    record(
        actor=actor,
        action="retraining.asked",
        target=asked,
        after={"set": chosen.digest, "base": str(base), "method": method},
    )
    dispatch.retrain_waiting()
    return asked


@transaction.atomic
def stop_retraining(*, retraining_id: uuid.UUID, actor: "User") -> Retraining:
    """Have a training end without a candidate; its process is stopped. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: it is done.
    """
    _check(actor)
    asked = Retraining.objects.select_for_update().get(pk=retraining_id)
    if asked.status == WorkStatus.DONE:
        raise GuardFailed("It is done: its candidate is registered.")
    if _end(asked, WorkStatus.STOPPED, f"Stopped by {actor.name_with_title}."):
        record(actor=actor, action="retraining.stopped", target=asked)
    asked.refresh_from_db()
    return asked


def retrain_waiting() -> None:
    """Train what has waited longest, and judge what has been evaluated meanwhile.

    Whatever else waits has a task of its own, so that each has the whole of a task's time.
    """
    if asked := _claim():
        _work_on(asked)
        dispatch.retrain_waiting()
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


def _check(actor: "User") -> None:
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")


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
        _fail(found, WORN_OUT)
        return None
    found.status, found.lease_expires_at = WorkStatus.RUNNING, Now() + LEASE
    found.save(update_fields=["status", "attempt", "lease_expires_at"])
    return found


def _work_on(asked: Retraining) -> None:
    """Train in a folder of its own, and register what comes of it; faults are told in words."""
    try:
        with tempfile.TemporaryDirectory(prefix="retraining-") as room:
            release = make_release(asked, Path(room))
            hold(asked, lease=TRYING, step="Trying the candidate", done=0, total=1)
            version = register_candidate(
                release,
                origin=Origin.ADAPTED if asked.method == Method.ADAPT else Origin.RETRAINED,
                actor=asked.asked_by,
                note=str(asked.training_set),
            )
    except TrainingStopped:
        logger.info("%s was stopped.", asked)
    except (DomainError, MLError) as refusal:
        _fail(asked, str(refusal))
    except OSError:
        logger.exception("%s failed.", asked)
        _fail(asked, UNEXPECTED)
    else:
        _finish(asked, version)


@transaction.atomic
def _finish(asked: Retraining, version: ModelVersion) -> None:
    """Tie the candidate to its set, and have it and the version in use read all frozen sets."""
    changed = Retraining.objects.filter(
        pk=asked.pk, status=WorkStatus.RUNNING, attempt=asked.attempt
    ).update(status=WorkStatus.DONE, version=version, lease_expires_at=None, finished_at=Now())
    if not changed:
        return
    record(
        actor=asked.asked_by,
        action="retraining.done",
        target=version,
        after={"set": asked.training_set.digest, "base": str(asked.base), "method": asked.method},
    )
    both = ModelVersion.objects.filter(Q(pk=version.pk) | Q(is_active=True))
    for labelled_set in list_frozen():
        for each in both:
            ask_evaluation(version_id=each.pk, set_id=labelled_set.pk, actor=asked.asked_by)


@transaction.atomic
def _fail(asked: Retraining, message: str) -> None:
    if _end(asked, WorkStatus.FAILED, message):
        record(
            actor=asked.asked_by, action="retraining.failed", target=asked, after={"why": message}
        )


def _end(asked: Retraining, status: WorkStatus, message: str) -> bool:
    """Close what is open without a candidate; False if it was closed before."""
    still_open = Retraining.objects.filter(pk=asked.pk, status__in=OPEN_WORK)
    changed = still_open.update(
        status=status,
        message=message[:MESSAGE_LIMIT],
        lease_expires_at=None,
        finished_at=Now(),
    )
    return bool(changed)
