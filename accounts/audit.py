"""The audit trail: the one way to write an event, and the registry of actions."""

import json
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone

from accounts import context
from accounts.models import AuditEvent, User

# Action -> sentence for a reader. Every app adds its own when it is ready.
ACTIONS: dict[str, str] = {}

# Called with each event in its own transaction; who hears of what is decided above this app.
LISTENERS: list[Callable[[AuditEvent], None]] = []

# Which patients' records a person reads past their own access now; apps above add theirs.
EMERGENCIES: list[Callable[[User], Collection[uuid.UUID]]] = []
EMERGENCY = "emergency access"

READ_RECORDED_AGAIN_AFTER = timedelta(hours=1)
BATCH = 500


class AuditError(Exception):
    """An event that may not be written as asked."""


def register_actions(actions: Mapping[str, str]) -> None:
    """Make actions known; the same name can't mean two things."""
    for name, label in actions.items():
        if ACTIONS.setdefault(name, label) != label:
            raise AuditError(f"Action {name!r} is already registered as {ACTIONS[name]!r}.")


def record(
    *,
    actor: User,
    action: str,
    target: models.Model | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    patient: models.Model | uuid.UUID | None = None,
) -> AuditEvent:
    """Write one event in the transaction of the change it describes.

    Refuses to write outside a transaction, and actions nobody registered. Labels come from
    the target's ``audit_label``, which must hold neither a patient's name nor an MRN.
    """
    if not transaction.get_connection().in_atomic_block:
        raise AuditError(f"{action}: an audit event belongs to the transaction of its change.")
    if action not in ACTIONS:
        raise AuditError(f"Unknown audit action {action!r}; register it when the app is ready.")
    emergencies = _in_emergency(actor) if patient else ()
    event = _event_of(actor, action, target, patient, emergencies)
    event.before, event.after = _as_json(before), _as_json(after)
    event.reason = reason.strip()
    event.payload = canonical_payload(event)
    event.save(force_insert=True)
    _tell(event)
    return event


def record_read(*, actor: User, patient: models.Model) -> AuditEvent | None:
    """Record that somebody read a patient's record; once an hour for each reader and patient.

    What is read in an emergency is recorded each time.
    """
    if patient.pk in _in_emergency(actor):
        with transaction.atomic():
            return record(actor=actor, action="patient.viewed", target=patient, patient=patient)
    since = timezone.now() - READ_RECORDED_AGAIN_AFTER
    seen = AuditEvent.objects.about_patient(patient.pk).since(since)
    if seen.filter(actor=actor, action="patient.viewed").exists():
        return None
    with transaction.atomic():
        return record(actor=actor, action="patient.viewed", target=patient, patient=patient)


@transaction.atomic
def record_reads(*, actor: User, patients: Iterable[models.Model]) -> int:
    """Record that somebody read many patients' records, as `record_read` does; return how many."""
    since = timezone.now() - READ_RECORDED_AGAIN_AFTER
    viewed = AuditEvent.objects.since(since).filter(actor=actor, action="patient.viewed")
    seen = set(viewed.values_list("patient_id", flat=True))
    emergencies = _in_emergency(actor)
    unseen = (one for one in patients if one.pk not in seen or one.pk in emergencies)
    written = 0
    while chunk := list(islice(unseen, BATCH)):
        batch = [_event_of(actor, "patient.viewed", one, one, emergencies) for one in chunk]
        for event in batch:
            event.payload = canonical_payload(event)
        written += len(AuditEvent.objects.bulk_create(batch))
        for event in batch:
            _tell(event)
    return written


def _tell(event: AuditEvent) -> None:
    for listener in LISTENERS:
        listener(event)


def _in_emergency(actor: User) -> Collection[uuid.UUID]:
    """Return the patients whose records the actor reads past their own access."""
    return [patient for find in EMERGENCIES for patient in find(actor)]


def _event_of(
    actor: User,
    action: str,
    target: models.Model | None,
    patient: models.Model | uuid.UUID | None,
    emergencies: Collection[uuid.UUID] = (),
) -> AuditEvent:
    """Return an unsaved event of this moment and request."""
    patient_id = patient.pk if isinstance(patient, models.Model) else patient
    return AuditEvent(
        id=uuid.uuid4(),
        at=timezone.now(),
        actor=actor,
        actor_name=actor.name_with_title,
        action=action,
        target_type=target._meta.label_lower if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        target_label=getattr(target, "audit_label", ""),
        patient_id=patient_id,
        request_id=context.current_request_id(),
        client_address=context.current_client_address(),
        means=EMERGENCY if patient_id in emergencies else context.current_means(),
    )


def canonical_payload(event: AuditEvent) -> str:
    """Return all columns of an event as JSON with sorted keys and no spaces.

    ``means`` is left out where it is empty, as it is in events older than the column.
    """
    means = {"means": event.means} if event.means else {}
    return json.dumps(
        {
            "id": str(event.id),
            "at": event.at.isoformat(timespec="microseconds"),
            "actor": event.actor_id,
            "actor_name": event.actor_name,
            "action": event.action,
            "target_type": event.target_type,
            "target_id": event.target_id,
            "target_label": event.target_label,
            "patient": str(event.patient_id) if event.patient_id else None,
            "before": event.before,
            "after": event.after,
            "reason": event.reason,
            "request_id": event.request_id,
            "client_address": event.client_address,
            **means,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )


def _as_json(values: Mapping[str, Any] | None) -> Any:
    """Reduce values to what JSON can hold, as it will be read back."""
    return None if values is None else json.loads(json.dumps(values, cls=DjangoJSONEncoder))
