"""Carrying out approved disposals: item by item, decided in one transaction, then erased.

Before an item goes, everything is asked anew under the locks of its cases: a hold that was put
since the approval wins. The transaction that decides writes the audit event and marks rows and
files; nothing takes that back. Erasing follows, and is begun again after whatever stops it. A
worker that is killed anywhere leaves rows from which the next one goes on.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from classifier.models import Slide, SmearImage
from classifier.services import disposing
from retention.enums import ItemState
from retention.models import Disposal, DisposalItem
from retention.selectors.disposals import count_states
from retention.selectors.due import is_past, why_kept
from retention.selectors.keeping import GONE, NOT_DUE
from retention.services.carrying_out_messages import decide_batch
from retention.services.evidence import authority, lock_cases, record_held_back
from vault.services.disposing import erase, files_to_erase

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=5)


def carry_out_disposals() -> int:
    """Go on with every approved disposal that nobody is at; return how many were finished."""
    finished = 0
    while (disposal := _claim()) is not None:
        try:
            finished += carry_out(disposal)
        except OSError:
            logger.exception("Files of disposal %s can't be erased now.", disposal.pk)
            return finished
    return finished


def carry_out(disposal: Disposal) -> bool:
    """Decide and erase what is left of a disposal that this worker holds; True once finished."""
    batches = disposal.batches.filter(state=ItemState.WAITING).order_by("pk")
    for batch_id in list(batches.values_list("pk", flat=True)):
        decide_batch(batch_id)
        if not _renew(disposal):
            return False
    open_items = disposal.items.filter(state__in=[ItemState.WAITING, ItemState.DECIDED])
    for item_id in list(open_items.order_by("pk").values_list("pk", flat=True)):
        decide(item_id)
        erase_item(item_id)
        if not _renew(disposal):
            return False
    return _finish(disposal)


@transaction.atomic
def decide(item_id: int) -> DisposalItem:
    """Dispose of an item, or hold it back and say why; decided already, nothing happens."""
    waiting = DisposalItem.objects.select_related("disposal", "rule", "case", "image", "slide")
    item = waiting.select_for_update(of=("self",)).get(pk=item_id)
    if item.state != ItemState.WAITING:
        return item
    rows = disposing.sharers(item.thing)
    lock_cases(row.case_id for row in rows)
    if why := _why_kept(item, rows):
        record_held_back(item.thing, item.disposal, {why: 1}, item.case.patient_id)
        return _settle(item, ItemState.KEPT, why=why)
    marked = disposing.mark(item.thing, because=str(item.rule))
    for row in marked.rows:
        _record(item, row, marked)
    return _settle(item, ItemState.DECIDED, files=len(marked.files), bytes=marked.size)


def erase_item(item_id: int) -> None:
    """Erase the files of an item that was decided; erased already, nothing happens.

    Raises:
        OSError: the store can't be reached.
    """
    item = DisposalItem.objects.select_related("image", "slide").get(pk=item_id)
    if item.state != ItemState.DECIDED:
        return
    names = set().union(*(disposing.names_of(row) for row in disposing.sharers(item.thing)))
    for name in files_to_erase(names):
        erase(name)
    DisposalItem.objects.filter(pk=item_id, state=ItemState.DECIDED).update(
        state=ItemState.ERASED, erased_at=timezone.now()
    )


def _why_kept(item: DisposalItem, rows: Sequence[SmearImage | Slide]) -> str:
    if item.thing.disposed_at is not None:
        return GONE
    today, kind = timezone.localdate(), item.disposal.kind
    why = why_kept(kind, [item.case_id], today).get(item.case_id)
    if why is None and is_past(kind, item.case_id, today) is None:
        why = NOT_DUE
    return why or ""


def _settle(item: DisposalItem, state: ItemState, **more: object) -> DisposalItem:
    item.state, item.decided_at = state, timezone.now()
    for name, value in more.items():
        setattr(item, name, value)
    item.save(update_fields=["state", "decided_at", *more])
    return item


def _record(item: DisposalItem, row: SmearImage | Slide, marked: disposing.Marked) -> None:
    """Write the tombstone: what it was by its hashes, by which rule, who proposed and approved."""
    lines = [f"{file.name} {file.sha256} {file.size}\n" for file in marked.files]
    record(
        actor=User.system(),
        action="image.disposed" if isinstance(row, SmearImage) else "slide.disposed",
        target=row,
        before={
            "original_sha256": row.original_sha256,
            "original_bytes": row.original_bytes,
            "files": len(marked.files),
            "bytes": marked.size,
            "files_sha256": hashlib.sha256("".join(lines).encode()).hexdigest(),
        },
        after=authority(item.disposal, item.rule) | {"counted_from": item.counted_from},
        patient=row.case.patient_id,
    )


@transaction.atomic
def _claim() -> Disposal | None:
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=Now())
    waiting = Disposal.objects.filter(free, approved_at__isnull=False, finished_at=None)
    disposal = waiting.select_for_update(skip_locked=True).order_by("approved_at").first()
    if disposal is not None:
        Disposal.objects.filter(pk=disposal.pk).update(lease_expires_at=Now() + LEASE)
    return disposal


def _renew(disposal: Disposal) -> bool:
    mine = Disposal.objects.filter(pk=disposal.pk, finished_at=None)
    return bool(mine.update(lease_expires_at=Now() + LEASE))


@transaction.atomic
def _finish(disposal: Disposal) -> bool:
    left = [ItemState.WAITING, ItemState.DECIDED]
    if any(rows.filter(state__in=left).exists() for rows in (disposal.items, disposal.batches)):
        return False
    done = Disposal.objects.filter(pk=disposal.pk, finished_at=None).update(
        finished_at=timezone.now(), lease_expires_at=None
    )
    if done:
        after = dict(sorted(count_states(disposal).items()))
        record(actor=User.system(), action="disposal.finished", target=disposal, after=after)
    return bool(done)
