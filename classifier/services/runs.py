"""Classification runs: queue, claim, record, reap.

A run is held by whoever claimed it last, for as long as the lease lasts. Locks are taken in one
order, case before runs; whoever sweeps over runs skips those that are locked.
"""

import logging
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, takewhile
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

from accounts.models import User
from classifier import dispatch, guards
from classifier.enums import OPEN_RUN_STATUSES, CaseStatus, RunStatus
from classifier.exceptions import GuardFailed
from classifier.models import Case, Cell, ClassificationRun, FieldScan, ModelVersion
from classifier.models import Prediction as PredictionRow
from classifier.querysets import RunQuerySet
from classifier.services.holds import held_among
from classifier.services.repeats import mark_repeats
from classifier.services.transitions import lock_case, transition
from ml.embedding import pack
from ml.types import Prediction

logger = logging.getLogger(__name__)

# Decoded, these pixels take 200 MB.
MOST_PIXELS_AT_ONCE = 64_000_000
# After a fault outside the image: 5, 15, 45 s, give or take half.
FIRST_REST_SECONDS = 5
REST_GROWTH = 3
# So long a run waits for a worker that has its model before it counts as stranded.
STRANDED_AFTER = timedelta(seconds=30)

STOPPED = (
    "The classifier stopped several times on this image. Retry, or send the case to manual review."
)
REJECTED = "The case left classification before this image was classified."


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one claimed run: predictions, a failure, or QUEUED to put it back.

    ``scan`` and ``found`` are what was found on a field, to be stored with the predictions.

    ``fault`` is an error that nobody foresaw and somebody has to look into.
    """

    run: ClassificationRun
    status: RunStatus
    findings: tuple[tuple[Cell, Prediction], ...] = ()
    scan: FieldScan | None = None
    found: tuple[Cell, ...] = ()
    decode_ms: float | None = None
    inference_ms: float | None = None
    message: str = ""
    fault: Exception | None = None


def queue_runs(case: Case) -> None:
    """Queue a run of the active model for every image that it has not read yet.

    Images that it read before, or is reading, keep their run. Call with the case's row locked;
    workers hear of it when the transaction commits.

    Raises:
        GuardFailed: no model is active.
    """
    model = ModelVersion.objects.filter(is_active=True).first()
    if model is None:
        raise GuardFailed("No classifier is active; ask your administrator to activate one.")
    read = ClassificationRun.objects.filter(
        model_version=model, status__in=(*OPEN_RUN_STATUSES, RunStatus.SUCCEEDED)
    )
    unread = case.images.exclude(pk__in=read.filter(image__case=case).values("image_id"))
    ClassificationRun.objects.bulk_create(
        ClassificationRun(image=image, model_version=model) for image in unread
    )
    dispatch.classify_waiting_runs()


@transaction.atomic
def claim_batch(*, model: ModelVersion, worker: str) -> list[ClassificationRun]:
    """Claim what ``worker`` reads next with ``model``: most urgent first, across cases.

    Runs that another worker is just claiming are passed over. A run that came back from an
    earlier attempt is claimed alone, so that an image that kills its worker takes none with it.
    A stopped model claims nothing.
    """
    if held_among([model.pk]):
        return []
    waiting = ClassificationRun.objects.claimable().filter(model_version=model).by_urgency()
    candidates = list(
        waiting.select_for_update(of=("self",), skip_locked=True)
        .select_related("image", "image__scan")
        .prefetch_related("image__cells")[: settings.CLASSIFICATION_BATCH_SIZE]
    )
    batch = _fit_together(candidates)
    ClassificationRun.objects.filter(pk__in=[run.pk for run in batch]).update(
        status=RunStatus.RUNNING,
        attempt=F("attempt") + 1,
        claimed_by=worker,
        started_at=Now(),
        lease_expires_at=Now() + timedelta(seconds=settings.CLASSIFICATION_LEASE_SECONDS),
    )
    for run in batch:
        run.status, run.attempt, run.claimed_by = RunStatus.RUNNING, run.attempt + 1, worker
    return batch


def record(readings: Sequence[Reading]) -> None:
    """Record readings whose claim still holds, and advance the cases that are through.

    A claim that was lost to another worker, or a case that was rejected meanwhile, is no error:
    what was read is dropped. What a model read that was stopped meanwhile is put back. One
    transaction a case, under its row lock.
    """

    def case_of(reading: Reading) -> uuid.UUID:
        return reading.run.image.case_id

    for case_id, own in groupby(sorted(readings, key=case_of), key=case_of):
        _record_case(case_id, list(own))


def put_back_or_fail(run: ClassificationRun, message: str) -> Reading:
    """Return the reading for a fault outside the image: rest and try again, a few times."""
    spent = run.attempt >= settings.CLASSIFICATION_MAX_ATTEMPTS
    return Reading(run, RunStatus.FAILED if spent else RunStatus.QUEUED, message=message)


def reap_runs() -> None:
    """Put right what vanished workers and lost messages left behind, from the rows alone."""
    _take_back_abandoned()
    close_unwanted()
    advance_finished_cases()
    if ClassificationRun.objects.claimable().exists():
        dispatch.classify_waiting_runs()


@transaction.atomic
def close_unwanted() -> None:
    """Close the open runs of cases that were rejected."""
    _end(_lock_idle(ClassificationRun.objects.unwanted()), REJECTED)


def advance_finished_cases() -> None:
    """Advance every case in classification of which no run is open any more."""
    still_open = ClassificationRun.objects.open().filter(image__case=OuterRef("pk"))
    finished = Case.objects.filter(~Exists(still_open), status=CaseStatus.IN_CLASSIFICATION)
    for case_id in finished.values_list("pk", flat=True):
        with transaction.atomic():
            _advance(lock_case(case_id))


def settle_stranded(
    *, active: ModelVersion | None, readable: Sequence[ModelVersion], message: str
) -> None:
    """Free the runs that wait for a model no worker has: read them with the active one, or fail.

    ``active`` is the version in use if the asking worker has it, ``readable`` are those that it
    has. Nothing is touched while the model's own workers are at work, or the run is young: other
    workers may have another release for a while.
    """
    with transaction.atomic():
        at_work = ClassificationRun.objects.filter(
            status=RunStatus.RUNNING, model_version=OuterRef("model_version")
        )
        stranded = (
            ClassificationRun.objects.claimable()
            .filter(~Exists(at_work), queued_at__lt=Now() - STRANDED_AFTER)
            .exclude(model_version__in=[*readable, *([active] if active else [])])
        )
        run_ids = _lock_idle(stranded)
        if active is not None:
            ClassificationRun.objects.filter(pk__in=run_ids).update(model_version=active)
        else:
            _end(run_ids, message)
    advance_finished_cases()


def _fit_together(candidates: Sequence[ClassificationRun]) -> list[ClassificationRun]:
    """Return the first candidates that may share a call of the model."""
    batch: list[ClassificationRun] = []
    pixels = 0
    for run in takewhile(lambda run: not run.attempt, candidates):
        pixels += run.image.width * run.image.height
        if batch and pixels > MOST_PIXELS_AT_ONCE:
            break
        batch.append(run)
    return batch or list(candidates[:1])


@transaction.atomic
def _record_case(case_id: uuid.UUID, readings: Sequence[Reading]) -> None:
    case = lock_case(case_id)
    held = _lock_held(readings)
    stopped = held_among({run.model_version_id for run, _ in held})
    predictions: list[PredictionRow] = []
    for run, reading in held:
        if case.status == CaseStatus.IN_CLASSIFICATION and run.model_version_id in stopped:
            _put_back_untried(run)
        elif case.status == CaseStatus.IN_CLASSIFICATION:
            predictions += _apply(run, _store_found(reading))
            if reading.scan:
                dispatch.make_thumbnails(reading.run.image_id)
        else:
            _set_ended(run, RunStatus.FAILED, REJECTED)
    ClassificationRun.objects.bulk_update((run for run, _ in held), _RECORDED)
    PredictionRow.objects.bulk_create(predictions)
    _advance(case)


_RECORDED = (
    *("status", "attempt", "claimed_by", "lease_expires_at", "finished_at"),
    *("decode_ms", "inference_ms", "error_message"),
)


def _lock_held(readings: Sequence[Reading]) -> list[tuple[ClassificationRun, Reading]]:
    """Lock and return the runs that are still held by the claim they were read under."""
    wanted = {reading.run.pk: reading for reading in readings}
    rows = ClassificationRun.objects.filter(pk__in=wanted, status=RunStatus.RUNNING)
    held = []
    for run in rows.select_for_update().order_by("pk"):
        claim = wanted[run.pk].run
        if (run.attempt, run.claimed_by) == (claim.attempt, claim.claimed_by):
            held.append((run, wanted[run.pk]))
    if len(held) < len(wanted):
        logger.warning("Dropped %d readings whose lease was lost.", len(wanted) - len(held))
    return held


def _store_found(reading: Reading) -> Reading:
    """Store what was found on a field; if it was searched meanwhile, put the run back."""
    if reading.scan is None:
        return reading
    if FieldScan.objects.filter(image=reading.run.image_id).exists():
        return Reading(reading.run, RunStatus.QUEUED)
    reading.scan.save(force_insert=True)
    Cell.objects.bulk_create(reading.found)
    return reading


def _apply(run: ClassificationRun, reading: Reading) -> list[PredictionRow]:
    """Set what came of the run, and return its predictions; neither is saved yet."""
    run.decode_ms, run.inference_ms = reading.decode_ms, reading.inference_ms
    if reading.status == RunStatus.QUEUED:
        run.status, run.claimed_by = RunStatus.QUEUED, ""
        run.lease_expires_at = Now() + _rest_after(run.attempt)
        return []
    _set_ended(run, reading.status, reading.message)
    return [
        PredictionRow(
            run=run,
            cell=cell,
            cell_type=prediction.cell_type,
            confidence=prediction.confidence,
            probabilities=dict(prediction.probabilities),
            is_referred=prediction.referred,
            candidates=list(prediction.candidates),
            embedding=None if prediction.embedding is None else pack(prediction.embedding),
        )
        for cell, prediction in reading.findings
    ]


def _put_back_untried(run: ClassificationRun) -> None:
    run.status, run.claimed_by, run.lease_expires_at = RunStatus.QUEUED, "", None
    run.attempt -= 1


def _set_ended(run: ClassificationRun, status: RunStatus, message: str) -> None:
    run.status, run.error_message = status, message
    run.lease_expires_at, run.finished_at = None, Now()


def _rest_after(attempt: int) -> timedelta:
    rest = FIRST_REST_SECONDS * REST_GROWTH ** (attempt - 1)
    return timedelta(seconds=rest * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret


def _advance(case: Case) -> None:
    """Move the locked case on if no run of it is open any more."""
    if case.status != CaseStatus.IN_CLASSIFICATION:
        return
    if guards.every_run_succeeded(case) is None:
        _leave(case, "complete_classification")
    elif guards.every_run_ended_with_a_failure(case) is None:
        _leave(case, "fail_classification")


def _leave(case: Case, name: str) -> None:
    mark_repeats(case)
    transition(case_id=case.pk, name=name, actor=User.system())


@transaction.atomic
def _take_back_abandoned() -> None:
    """Requeue the runs whose worker vanished, or fail those that were tried often enough."""
    abandoned = ClassificationRun.objects.abandoned()
    limit = settings.CLASSIFICATION_MAX_ATTEMPTS
    _end(_lock_idle(abandoned.filter(attempt__gte=limit)), STOPPED)
    run_ids = _lock_idle(abandoned.filter(attempt__lt=limit))
    ClassificationRun.objects.filter(pk__in=run_ids).update(
        status=RunStatus.QUEUED, claimed_by="", lease_expires_at=None
    )
    if run_ids:
        logger.warning("Took back runs whose worker vanished: %s", run_ids)


def _lock_idle(runs: RunQuerySet) -> list[Any]:
    """Lock the runs that nobody else has locked, and return their keys."""
    locked = runs.select_for_update(of=("self",), skip_locked=True)
    return list(locked.values_list("pk", flat=True))


def _end(run_ids: Sequence[Any], message: str) -> None:
    """Fail the locked runs with the sentence the technician reads."""
    ClassificationRun.objects.filter(pk__in=run_ids).update(
        status=RunStatus.FAILED,
        error_message=message,
        lease_expires_at=None,
        finished_at=Now(),
    )
    if run_ids:
        logger.error("Failed runs %s: %s", run_ids, message)
