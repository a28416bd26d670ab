"""Stopping a model and letting it read again; what waits for it is kept.

Whoever claims or records a reading shares a lock with the others that do; whoever stops a model
takes it alone. So a stop begins when all that was being written is written, and nothing that the
model reads is written after it.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from accounts.audit import record
from classifier import dispatch, policies
from classifier.enums import RunStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import ClassificationRun, ModelHold, ModelVersion

if TYPE_CHECKING:
    from accounts.models import User

# The first key of PostgreSQL's advisory locks of stops; the second is the version.
LOCK_SPACE = 0x48_4F_4C


def held_among(version_ids: Collection[int]) -> set[int]:
    """Return which versions are stopped, and let none be stopped until the transaction ends."""
    with connection.cursor() as cursor:
        for version_id in sorted(version_ids):
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [LOCK_SPACE, version_id])
    held = ModelHold.objects.filter(ended_at=None, model_version__in=version_ids)
    return set(held.values_list("model_version_id", flat=True))


def lock_stops_of(version_id: int) -> None:
    """Let nobody else read with a version, stop or release it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, version_id])


@transaction.atomic
def hold_model(*, version: ModelVersion, cause: str, actor: "User") -> ModelHold:
    """Have a version read no case any more; one that is stopped already stays as it is.

    What waits for it is left to the version in use, where that is another.
    """
    locked = ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
    lock_stops_of(version.pk)
    hold, is_new = ModelHold.objects.get_or_create(
        model_version=version, ended_at=None, defaults={"cause": cause, "held_by": actor}
    )
    if is_new:
        record(actor=actor, action="model.stopped", target=hold, reason=cause)
    in_use = ModelVersion.objects.filter(is_active=True).first()
    if in_use is not None and not locked.is_active:
        move_waiting_runs(to=in_use)
    return hold


@transaction.atomic
def end_hold(*, hold_id: int, actor: "User", reason: str) -> ModelHold:
    """Let a version read again, first of all what waits for it. Again is harmless.

    Raises:
        NotPermitted: the actor neither manages models nor approves limits.
        GuardFailed: no reason is given.
    """
    if not policies.can_end_hold(actor):
        raise NotPermitted("You may not release a stopped classifier.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    lock_stops_of(ModelHold.objects.get(pk=hold_id).model_version_id)
    hold = ModelHold.objects.select_for_update(of=("self",)).get(pk=hold_id)
    if hold.ended_at is None:
        hold.ended_at, hold.ended_by = timezone.now(), actor
        hold.ended_because = reason.strip()
        hold.save(update_fields=["ended_at", "ended_by", "ended_because"])
        record(actor=actor, action="model.released", target=hold, reason=reason)
        dispatch.classify_waiting_runs()
    return hold


def move_waiting_runs(*, to: ModelVersion) -> None:
    """Have another version read what waits for those that are stopped, if it doesn't already."""
    held = ModelHold.objects.filter(ended_at=None).exclude(model_version=to)
    its_own = ClassificationRun.objects.open().filter(model_version=to)
    waiting = ClassificationRun.objects.filter(
        status=RunStatus.QUEUED, model_version__in=held.values("model_version")
    ).exclude(image__in=its_own.values("image"))
    keys = list(waiting.select_for_update(of=("self",)).values_list("pk", flat=True))
    ClassificationRun.objects.filter(pk__in=keys).update(model_version=to)
