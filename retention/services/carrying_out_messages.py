"""Carrying out approved disposals of messages, a batch in one transaction."""

import hashlib
from collections import Counter
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from classifier.models import Patient
from exchange.selectors.keeping import TABLES, MessageTable
from exchange.services.disposing import erase_contents
from retention.enums import ItemState
from retention.models import MessageBatch
from retention.selectors.due_messages import patients_to_merge, why_kept
from retention.services.evidence import authority, lock_cases, record_held_back


@transaction.atomic
def decide_batch(batch_id: int) -> MessageBatch:
    """Empty the messages of a batch but for those that are held back; done already, nothing."""
    waiting = MessageBatch.objects.select_related("disposal", "rule")
    batch = waiting.select_for_update(of=("self",)).get(pk=batch_id)
    if batch.state != ItemState.WAITING:
        return batch
    table = TABLES[batch.table]
    rows = _lock(table, batch)
    why = why_kept(table, batch.disposal.kind, batch.messages, timezone.localdate())
    going = [row for row in rows if row.pk not in why]
    erase_contents(table, going, because=str(batch.rule))
    _settle(batch, going)
    if going:
        _record(batch)
    if why:
        batch.kept = {str(pk): words for pk, words in sorted(why.items())}
        record_held_back(batch, batch.disposal, Counter(batch.kept.values()))
    batch.save(update_fields=["state", "decided_at", "gone", "bytes", "sha256", "kept"])
    return batch


def _lock(table: MessageTable, batch: MessageBatch) -> list[Any]:
    """Lock the records that they would merge, their cases, then the messages."""
    named = patients_to_merge(batch.messages).values()
    ids = {patient.pk for patients in named for patient in patients}
    list(Patient.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))
    messages = table.model._default_manager.filter(pk__in=batch.messages).order_by("pk")
    cases = messages.filter(**{f"{table.cases}__isnull": False}).values_list(table.cases, flat=True)
    lock_cases(set(cases))
    return list(messages.select_for_update(of=("self",)))


def _settle(batch: MessageBatch, gone: list[Any]) -> None:
    batch.state = ItemState.ERASED if gone else ItemState.KEPT
    batch.decided_at, batch.gone = timezone.now(), len(gone)
    batch.bytes = sum(row.disposed_bytes for row in gone)
    batch.sha256 = hash_over(gone) if gone else ""


def hash_over(rows: list[Any]) -> str:
    """Return SHA-256 over a line "id sha256 bytes" for each emptied message, in order of id."""
    ordered = sorted(rows, key=lambda row: row.pk)
    lines = [f"{row.pk} {row.disposed_sha256} {row.disposed_bytes}\n" for row in ordered]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _record(batch: MessageBatch) -> None:
    """Write one entry for all: what they were stands on each message, the hash holds it."""
    record(
        actor=User.system(),
        action="messages.disposed",
        target=batch,
        before={"messages": batch.gone, "bytes": batch.bytes, "messages_sha256": batch.sha256},
        after=authority(batch.disposal, batch.rule),
    )
