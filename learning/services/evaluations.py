"""Evaluations: asked for by a person, worked off by workers that give way to live cases."""

import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.audit import record
from classifier import inference
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import ClassificationRun, ModelVersion
from learning import dispatch, policies
from learning.enums import OPEN_WORK, SetState, WorkStatus
from learning.models import EvaluatedCell, Evaluation, LabelledCell, LabelledSet
from learning.services.figures import figures_of
from ml.errors import ArtifactError, ImageRejected
from ml.preprocessing import decode_image

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User
    from classifier.inference import CellClassifier
    from ml.types import Prediction

logger = logging.getLogger(__name__)

BATCH = 16
LONGEST_SECONDS = 20
LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 5

UNREADABLE = "The release can't be loaded, or is not what was registered."
DAMAGED = "A picture of the set can't be read; restore it from the backup."
STOPPED = "The worker stopped several times on this evaluation."


@transaction.atomic
def ask_evaluation(*, version_id: int, set_id: uuid.UUID, actor: "User") -> Evaluation:
    """Have a version read a frozen set; what was read or is being read stays as it is.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: the set is not frozen.
    """
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")
    labelled_set = LabelledSet.objects.get(pk=set_id)
    if labelled_set.state != SetState.FROZEN:
        raise GuardFailed("A model is judged on frozen sets that are not retired.")
    version = ModelVersion.objects.select_for_update().get(pk=version_id)
    known = version.evaluations.filter(labelled_set=labelled_set).exclude(status=WorkStatus.FAILED)
    found: Evaluation | None = known.first()
    if found:
        return found
    evaluation = Evaluation.objects.create(
        version=version,
        labelled_set=labelled_set,
        total=labelled_set.cells.count(),
        asked_by=actor,
    )
    record(
        actor=actor,
        action="model.evaluation_asked",
        target=version,
        after={"set": str(labelled_set), "digest": labelled_set.digest},
    )
    dispatch.evaluate_waiting()
    return evaluation


def evaluate_waiting(*, worker: str) -> None:
    """Work on what waits until live cases need the worker, or it has had its share of time."""
    ends_at = monotonic() + LONGEST_SECONDS
    while monotonic() < ends_at and not _cases_wait():
        evaluation = _claim(worker)
        if evaluation is None:
            return
        _work_on(evaluation, ends_at)
    if Evaluation.objects.filter(status=WorkStatus.QUEUED).exists():
        dispatch.evaluate_waiting()


def _cases_wait() -> bool:
    return ClassificationRun.objects.claimable().exists()


@transaction.atomic
def _claim(worker: str) -> Evaluation | None:
    """Claim what waits, or what a vanished worker left."""
    waiting = Evaluation.objects.filter(
        Q(status=WorkStatus.QUEUED) | Q(status=WorkStatus.RUNNING, lease_expires_at__lt=Now())
    )
    locked = waiting.select_for_update(of=("self",), skip_locked=True).order_by("asked_at")
    found: Evaluation | None = locked.select_related("version", "labelled_set").first()
    if found is None:
        return None
    if found.status == WorkStatus.RUNNING:
        found.attempt += 1
    if found.attempt >= MOST_ATTEMPTS:
        _end(found, WorkStatus.FAILED, message=STOPPED)
        return None
    found.status, found.claimed_by = WorkStatus.RUNNING, worker
    found.lease_expires_at = Now() + LEASE
    found.save(update_fields=["status", "claimed_by", "lease_expires_at", "attempt"])
    return found


def _work_on(evaluation: Evaluation, ends_at: float) -> None:
    """Read batch by batch; each is stored at once, so that nothing is read twice."""
    try:
        classifier = inference.get_classifier_of(evaluation.version)
        while batch := list(_unread(evaluation)[:BATCH]):
            _read(evaluation, classifier, batch)
            if _cases_wait() or monotonic() > ends_at:
                _put_back(evaluation)
                return
        _end(evaluation, WorkStatus.DONE, figures=figures_of(evaluation))
    except ArtifactError:
        logger.exception("Evaluation %s: the release is refused.", evaluation.pk)
        _end(evaluation, WorkStatus.FAILED, message=UNREADABLE)
    except (ImageRejected, OSError):
        logger.exception("Evaluation %s: a picture can't be read.", evaluation.pk)
        _end(evaluation, WorkStatus.FAILED, message=DAMAGED)


def _unread(evaluation: Evaluation) -> "QuerySet[LabelledCell]":
    read = evaluation.cells.values("cell_id")
    return evaluation.labelled_set.cells.exclude(pk__in=read).order_by("pk")


def _read(
    evaluation: Evaluation, classifier: "CellClassifier", batch: Sequence[LabelledCell]
) -> None:
    pictures = []
    for cell in batch:
        with cell.file.open("rb") as picture:
            pictures.append(decode_image(picture.read()).pixels)
    found = classifier.classify(pictures)
    with transaction.atomic():
        EvaluatedCell.objects.bulk_create(
            (_row(evaluation, *pair) for pair in zip(batch, found, strict=True)),
            ignore_conflicts=True,
        )
        Evaluation.objects.filter(pk=evaluation.pk).update(
            done=F("done") + len(batch), lease_expires_at=Now() + LEASE
        )


def _row(evaluation: Evaluation, cell: LabelledCell, answer: "Prediction") -> EvaluatedCell:
    return EvaluatedCell(
        evaluation=evaluation,
        cell=cell,
        cell_type=answer.cell_type,
        confidence=answer.confidence,
        probabilities=dict(answer.probabilities),
        is_referred=answer.referred,
        candidates=list(answer.candidates),
    )


def _put_back(evaluation: Evaluation) -> None:
    Evaluation.objects.filter(pk=evaluation.pk, status=WorkStatus.RUNNING).update(
        status=WorkStatus.QUEUED, claimed_by="", lease_expires_at=None
    )


def _end(
    evaluation: Evaluation, status: WorkStatus, *, message: str = "", figures: object = None
) -> None:
    Evaluation.objects.filter(pk=evaluation.pk, status__in=OPEN_WORK).update(
        status=status,
        message=message,
        figures=figures or {},
        claimed_by="",
        lease_expires_at=None,
        finished_at=Now(),
        done=evaluation.cells.count(),
    )
