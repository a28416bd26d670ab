"""Explanations as rows: asked for, claimed, recorded, cancelled, put back, reaped.

An explanation is held by whoever claimed it last, for as long as the lease lasts. Nothing here
waits for a classification run, and no run waits for an explanation.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now
from django.shortcuts import get_object_or_404

from accounts.audit import record as record_event
from classifier import dispatch, policies
from classifier.enums import QUICK_METHODS, REVIEWABLE, CellType, ExplanationStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case, Cell, Explanation, ModelVersion, Prediction, TraitReading

if TYPE_CHECKING:
    from accounts.models import User
    from classifier.services.overlays import Finding
    from ml.morphology import Attribute

logger = logging.getLogger(__name__)

# Renewed at every sign of progress, which comes every second or so.
LEASE = timedelta(seconds=60)
REST = timedelta(seconds=10)
MOST_ATTEMPTS = 3
# So long a request waits for a worker that has its model before it counts as stranded.
STRANDED_AFTER = timedelta(seconds=30)

STOPPED = "The worker stopped several times on this explanation. Try again later."
UNREAD = "No machine has named this cell, so there is nothing to explain."
_AGAIN = (ExplanationStatus.FAILED, ExplanationStatus.CANCELLED)


@transaction.atomic
def request_explanations(
    *, cell_id: uuid.UUID, actor: "User", methods: Sequence[str], cell_type: str
) -> list[Explanation]:
    """Ask the version that read a cell why it gives its picture the probability of a class.

    What was asked before is not made again, except where it failed or was cancelled. Explained is
    the box that the machine read, which a reviewer may have drawn anew since.

    Raises:
        Http404: there is no such cell, or the case may not be seen.
        GuardFailed: no machine has named the cell, or the model has no such class.
    """
    cells = Cell.objects.filter(image__case__in=Case.objects.visible_to(actor))
    cell = get_object_or_404(cells.select_related("image__case"), pk=cell_id)
    _check_may_ask(actor, cell)
    model = _model_that_has(cell, cell_type)
    wanted = [_ask(cell, model, method, cell_type, actor) for method in methods]
    if fresh := [each for each, is_fresh in wanted if is_fresh]:
        record_event(
            actor=actor,
            action="explanation.requested",
            target=fresh[0],
            after={
                "cell": cell.pk,
                "methods": [each.method for each in fresh],
                "class": cell_type,
                "model": str(model),
            },
            patient=cell.image.case.patient_id,
        )
        dispatch.explain_waiting()
    return [each for each, _ in wanted]


@transaction.atomic
def cancel_explanation(*, explanation_id: uuid.UUID, actor: "User") -> Explanation:
    """Stop an explanation that waits or is being made; one that has ended stays as it is.

    Raises:
        Http404: there is none, or its case may not be seen.
    """
    rows = Explanation.objects.filter(cell__image__case__in=Case.objects.visible_to(actor))
    locked = rows.select_for_update(of=("self",)).select_related("cell__image__case")
    explanation = get_object_or_404(locked, pk=explanation_id)
    _check_may_ask(actor, explanation.cell)
    if not explanation.is_open:
        return explanation
    explanation.status = ExplanationStatus.CANCELLED
    explanation.lease_expires_at, explanation.claimed_by = None, ""
    explanation.save(update_fields=["status", "lease_expires_at", "claimed_by"])
    record_event(
        actor=actor,
        action="explanation.cancelled",
        target=explanation,
        before={"cell": explanation.cell_id, "methods": [explanation.method]},
        patient=explanation.cell.image.case.patient_id,
    )
    return explanation


@transaction.atomic
def claim_next(*, model: ModelVersion, worker: str) -> list[Explanation]:
    """Claim the explanation to make next: a quick one before a slow one, then the oldest.

    The other quick one of the same cell and class comes with it, as both cost one decoded picture.
    """
    waiting = Explanation.objects.claimable().filter(model_version=model).quickest_first()
    locked = waiting.select_for_update(of=("self",), skip_locked=True)
    first = locked.select_related("cell__image").first()
    if first is None:
        return []
    batch = [first, *(_twins(first, locked) if first.method in QUICK_METHODS else ())]
    Explanation.objects.filter(pk__in=[each.pk for each in batch]).update(
        status=ExplanationStatus.RUNNING,
        attempt=F("attempt") + 1,
        claimed_by=worker,
        lease_expires_at=Now() + LEASE,
    )
    for each in batch:
        each.status, each.attempt, each.claimed_by = (
            ExplanationStatus.RUNNING,
            each.attempt + 1,
            worker,
        )
    return batch


def quick_map_waits(model: ModelVersion) -> bool:
    """Tell whether somebody waits for a map that costs one forward pass."""
    waiting = Explanation.objects.claimable().filter(model_version=model, heat="")
    return waiting.filter(method__in=QUICK_METHODS).exists()


def note_progress(claim: Explanation, done: int, total: int) -> bool:
    """Store how far a claimed explanation is and renew its lease; False if the claim was lost."""
    changed = _held(claim).update(done=done, total=total, lease_expires_at=Now() + LEASE)
    return bool(changed)


@transaction.atomic
def keep_map(claim: Explanation, finding: "Finding") -> bool:
    """Store a map whose scores are still to come; False if the claim was lost."""
    held = _lock_held(claim)
    if held is not None:
        _fill(held, finding)
        held.save()
    return held is not None


def has_traits(claim: Explanation, model: ModelVersion) -> bool:
    """Tell whether the looks of the explained box were put in words by this model before."""
    return TraitReading.objects.filter(model_version=model, **_place(claim)).exists()


def keep_traits(claim: Explanation, model: ModelVersion, attributes: Sequence["Attribute"]) -> None:
    """Store what the model says of the looks of the explained box; what was said first stays.

    Of nothing said no row is kept: a release may learn to describe later.
    """
    if not attributes:
        return
    traits = [
        {
            "name": each.name,
            "title": each.title,
            "value": each.value,
            "words": each.words,
            "likeliest": each.likeliest,
            "probability": round(each.probability, 4),
        }
        for each in attributes
    ]
    TraitReading.objects.get_or_create(
        model_version=model, **_place(claim), defaults={"traits": traits}
    )


@transaction.atomic
def record(claim: Explanation, finding: "Finding", *, duration_ms: float) -> None:
    """Store a finished explanation if the claim still holds; else drop it."""
    held = _lock_held(claim)
    if held is None:
        return
    _fill(held, finding)
    held.status, held.error_message = ExplanationStatus.DONE, ""
    held.done = held.total
    held.finished_at, held.duration_ms = Now(), duration_ms
    held.lease_expires_at, held.claimed_by = None, ""
    held.save()


def fail(claim: Explanation, message: str) -> None:
    """End a claimed explanation with the sentence that its reader sees."""
    logger.warning("Explanation %s failed: %s", claim.pk, message)
    _held(claim).update(
        status=ExplanationStatus.FAILED,
        error_message=message,
        finished_at=Now(),
        lease_expires_at=None,
        claimed_by="",
    )


def put_back_or_fail(claim: Explanation, message: str) -> None:
    """After a fault outside the picture: rest and try again, a few times."""
    if claim.attempt >= MOST_ATTEMPTS:
        fail(claim, message)
        return
    _held(claim).update(
        status=ExplanationStatus.QUEUED, claimed_by="", lease_expires_at=Now() + REST
    )


def give_way(claims: Sequence[Explanation]) -> None:
    """Put back what was begun, as classification needs the worker; it counts as no attempt."""
    for claim in claims:
        _held(claim).update(
            status=ExplanationStatus.QUEUED,
            attempt=F("attempt") - 1,
            done=0,
            claimed_by="",
            lease_expires_at=None,
        )


def call_for_waiting() -> None:
    """Call a worker if explanations wait."""
    if Explanation.objects.claimable().exists():
        dispatch.explain_waiting()


@transaction.atomic
def reap_explanations() -> None:
    """Requeue what vanished workers held, or fail what was tried often enough; call a worker."""
    abandoned = Explanation.objects.abandoned().select_for_update(skip_locked=True)
    for explanation in abandoned:
        logger.warning("Took back explanation %s: its worker vanished.", explanation.pk)
        put_back_or_fail(explanation, STOPPED)
    call_for_waiting()


@transaction.atomic
def settle_stranded(*, readable: Sequence[ModelVersion], message: str) -> None:
    """Fail what waits for a model that no worker has; young requests and others' work are left."""
    at_work = Explanation.objects.filter(
        status=ExplanationStatus.RUNNING, model_version=OuterRef("model_version")
    )
    stranded = (
        Explanation.objects.claimable()
        .filter(~Exists(at_work), requested_at__lt=Now() - STRANDED_AFTER)
        .exclude(model_version__in=readable)
    )
    stranded.update(
        status=ExplanationStatus.FAILED,
        error_message=message,
        finished_at=Now(),
        lease_expires_at=None,
    )


def _check_may_ask(actor: "User", cell: Cell) -> None:
    case = cell.image.case
    if not policies.can_ask_why(actor, case):
        raise NotPermitted("You may not see this case.")
    if case.status not in REVIEWABLE:
        raise GuardFailed("The cells of this case can't be looked at yet.")
    if cell.image.disposed_at:
        raise GuardFailed("The picture of this cell was disposed of: there is nothing to explain.")


def _model_that_has(cell: Cell, cell_type: str) -> ModelVersion:
    """Return the version that read the cell last, if there is one and it knows the class."""
    prediction = Prediction.objects.filter(cell=cell).order_by("-pk").first()
    if prediction is None:
        raise GuardFailed(UNREAD)
    model = prediction.run.model_version
    if cell_type not in model.class_names:
        name = str(CellType(cell_type).label).lower()
        raise GuardFailed(f"{model} doesn't know the class {name}, so it can't weigh it.")
    return model


def _ask(
    cell: Cell, model: ModelVersion, method: str, cell_type: str, actor: "User"
) -> tuple[Explanation, bool]:
    """Return the row that answers, and whether there is something new to do."""
    box = dict(zip(("x0", "y0", "x1", "y1"), cell.box, strict=True))
    explanation, is_new = Explanation.objects.get_or_create(
        cell=cell,
        **box,
        model_version=model,
        method=method,
        cell_type=cell_type,
        defaults={"requested_by": actor},
    )
    if is_new:
        return explanation, True
    asked: dict[str, Any] = {
        "status": ExplanationStatus.QUEUED,
        "attempt": 0,
        "done": 0,
        "error_message": "",
        "finished_at": None,
        "lease_expires_at": None,
        "requested_by": actor,
        "requested_at": Now(),
    }
    again = Explanation.objects.filter(pk=explanation.pk, status__in=_AGAIN).update(**asked)
    if again:
        explanation.refresh_from_db()
    return explanation, bool(again)


def _place(claim: Explanation) -> dict[str, Any]:
    """The cell and the box, as columns."""
    box = dict(zip(("x0", "y0", "x1", "y1"), claim.box, strict=True))
    return {"cell": claim.cell, **box}


def _twins(first: Explanation, locked: Any) -> list[Explanation]:
    return list(
        locked.filter(
            cell=first.cell_id,
            x0=first.x0,
            y0=first.y0,
            x1=first.x1,
            y1=first.y1,
            cell_type=first.cell_type,
            method__in=QUICK_METHODS,
        )
        .exclude(pk=first.pk)
        .select_related("cell__image")
    )


def _held(claim: Explanation) -> Any:
    """The row, if the claim under which it is being made still holds."""
    return Explanation.objects.filter(
        pk=claim.pk,
        status=ExplanationStatus.RUNNING,
        attempt=claim.attempt,
        claimed_by=claim.claimed_by,
    )


def _lock_held(claim: Explanation) -> Explanation | None:
    rows = _held(claim).select_for_update(of=("self",)).select_related("cell__image")
    held: Explanation | None = rows.first()
    if held is None:
        logger.info("Dropped explanation %s: the claim was lost.", claim.pk)
    return held


def _fill(held: Explanation, finding: "Finding") -> None:
    for name, value in finding.columns.items():
        setattr(held, name, value)
    if not held.heat:
        held.heat.save("", ContentFile(finding.heat), save=False)
        if finding.against:
            held.against.save("", ContentFile(finding.against), save=False)
