"""Proposing a disposal of what is due, approving it as somebody else, withdrawing it."""

import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Slide, SmearImage
from retention import dispatch, policies
from retention.enums import OF_MESSAGES, OF_PICTURES, RecordType
from retention.models import Disposal, DisposalItem, MessageBatch
from retention.selectors.disposals import count_states
from retention.selectors.due import DueCase, list_due, records_of
from retention.selectors.due_messages import DueMonth, ids_of, list_due_months

if TYPE_CHECKING:
    from accounts.models import User

BATCH = 1000
MESSAGES_AT_ONCE = 100
CHANGED = "What is due changed since the list was made. Nothing was proposed; look at it again."


@transaction.atomic
def propose_disposal(
    *, actor: "User", kind: RecordType, disposal_id: uuid.UUID, cases: Collection[uuid.UUID]
) -> Disposal:
    """Propose to dispose of the images or slides of cases that are due. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't keep records.
        GuardFailed: nothing was chosen.
        EditConflict: one of the cases isn't due (any more).
    """
    if not policies.can_keep_records(actor) or kind not in OF_PICTURES:
        raise NotPermitted("You may not propose disposals.")
    if known := Disposal.objects.filter(pk=disposal_id).first():
        return known
    if not cases:
        raise GuardFailed("Choose at least one case.")
    due = {each.case.pk: each for each in list_due(kind) if not each.why_kept}
    if set(cases) - set(due):
        raise EditConflict(CHANGED)
    disposal = Disposal.objects.create(id=disposal_id, record_type=kind, proposed_by=actor)
    chosen = [due[pk] for pk in set(cases)]
    items = _add_items(disposal, chosen)
    record(
        actor=actor,
        action="disposal.proposed",
        target=disposal,
        after={"record_type": kind.value, "cases": len(chosen), "items": items},
    )
    return disposal


@transaction.atomic
def propose_messages(
    *, actor: "User", kind: RecordType, disposal_id: uuid.UUID, months: Collection[str]
) -> Disposal:
    """Propose to dispose of the messages of months that are due. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't keep records.
        GuardFailed: nothing was chosen.
        EditConflict: one of the months isn't due (any more).
    """
    if not policies.can_keep_records(actor) or kind not in OF_MESSAGES:
        raise NotPermitted("You may not propose disposals.")
    if known := Disposal.objects.filter(pk=disposal_id).first():
        return known
    if not months:
        raise GuardFailed("Choose at least one month.")
    due = {each.key: each for each in list_due_months(kind) if each.ready}
    if set(months) - set(due):
        raise EditConflict(CHANGED)
    disposal = Disposal.objects.create(id=disposal_id, record_type=kind, proposed_by=actor)
    messages = sum(_add_batches(disposal, due[key]) for key in sorted(set(months)))
    record(
        actor=actor,
        action="disposal.proposed",
        target=disposal,
        after={"record_type": kind.value, "months": len(set(months)), "messages": messages},
    )
    return disposal


@transaction.atomic
def approve_disposal(*, actor: "User", disposal_id: uuid.UUID) -> Disposal:
    """Let a proposal be carried out; each item is asked for anew then. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't keep records, or proposed it.
        GuardFailed: it was withdrawn.
    """
    disposal = Disposal.objects.select_for_update(of=("self",)).get(pk=disposal_id)
    if not policies.can_keep_records(actor):
        raise NotPermitted("You may not approve disposals.")
    if not policies.can_approve_disposal(actor, disposal):
        raise NotPermitted("You proposed this disposal: somebody else has to approve it.")
    if disposal.withdrawn_at:
        raise GuardFailed("This proposal was withdrawn.")
    if disposal.approved_at:
        return disposal
    disposal.approved_by, disposal.approved_at = actor, timezone.now()
    disposal.save(update_fields=["approved_by", "approved_at"])
    record(
        actor=actor,
        action="disposal.approved",
        target=disposal,
        after={"items": sum(count_states(disposal).values())},
    )
    dispatch.carry_out_disposals()
    return disposal


@transaction.atomic
def withdraw_disposal(*, actor: "User", disposal_id: uuid.UUID, reason: str) -> Disposal:
    """Take a proposal back before anybody approves it. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't keep records.
        GuardFailed: no reason, or it was approved.
    """
    if not policies.can_keep_records(actor):
        raise NotPermitted("You may not withdraw disposals.")
    disposal = Disposal.objects.select_for_update(of=("self",)).get(pk=disposal_id)
    if disposal.withdrawn_at:
        return disposal
    if disposal.approved_at:
        raise GuardFailed("It was approved already. A legal hold still keeps what is not gone.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    disposal.withdrawn_by, disposal.withdrawn_at = actor, timezone.now()
    disposal.withdrawn_because = reason.strip()
    disposal.save(update_fields=["withdrawn_by", "withdrawn_at", "withdrawn_because"])
    record(actor=actor, action="disposal.withdrawn", target=disposal, reason=reason)
    return disposal


def _add_items(disposal: Disposal, chosen: Collection[DueCase]) -> int:
    by_case = {each.case.pk: each for each in chosen}
    items = [
        DisposalItem(
            disposal=disposal,
            case_id=row.case_id,
            image=row if isinstance(row, SmearImage) else None,
            slide=row if isinstance(row, Slide) else None,
            rule=by_case[row.case_id].rule,
            counted_from=by_case[row.case_id].counted_from,
        )
        for row in records_of(disposal.kind, list(by_case))
    ]
    DisposalItem.objects.bulk_create(items, batch_size=BATCH)
    return len(items)


def _add_batches(disposal: Disposal, due: DueMonth) -> int:
    ids = ids_of(due, timezone.localdate())
    batches = [
        MessageBatch(
            disposal=disposal,
            table=due.table.name,
            system=due.system,
            month=due.month,
            rule=due.rule,
            messages=ids[start : start + MESSAGES_AT_ONCE],
        )
        for start in range(0, len(ids), MESSAGES_AT_ONCE)
    ]
    MessageBatch.objects.bulk_create(batches, batch_size=BATCH)
    return len(ids)
