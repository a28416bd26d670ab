"""What a person decides about a message that waits: process it again, or dismiss it."""

import uuid
from typing import TYPE_CHECKING

from django.db import transaction

from classifier.exceptions import DomainError
from exchange.enums import Protocol, SettlementKind
from exchange.hl7v2.envelope import read_envelope
from exchange.hl7v2.message import parse
from exchange.hl7v2.replies import compose
from exchange.models import Settlement
from exchange.refusals import Refusal
from exchange.services.keeping import link_cases
from exchange.services.orders import Context
from exchange.services.receiving import apply_message
from exchange.services.waiting import lock_waiting, sender_of, settle

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def dismiss(*, message_id: uuid.UUID, actor: "User", reason: str) -> Settlement:
    """Set a waiting message aside for a reason; it stays on record.

    Raises:
        NotPermitted, EditConflict, GuardFailed: not theirs, settled already, no reason.
    """
    message = lock_waiting(message_id, actor, reason)
    return settle(message, SettlementKind.DISMISSED, actor, reason)


@transaction.atomic
def process_again(
    *, message_id: uuid.UUID, actor: "User", reason: str, same_person: bool = False
) -> Settlement:
    """Do what a waiting message asks, now that what stood in its way is mended.

    `same_person` is the actor's word that the patient registered under the number is meant: the
    register stays as it is. If the sender sends the message again, it gets the new answer.

    Raises:
        NotPermitted, EditConflict, GuardFailed: not theirs, settled already, no reason.
        DomainError: it still can't be done.
    """
    message = lock_waiting(message_id, actor, reason)
    sender = sender_of(message)
    if message.is_merge:
        raise DomainError("Decide about the merge instead.")
    if message.protocol != Protocol.HL7:
        raise DomainError("Match the results to a case instead.")
    try:
        parsed = parse(bytes(message.raw), sender.charset)
        envelope = read_envelope(parsed.header)
        context = Context(sender, message.pk, actor, same_person=same_person)
        effect = apply_message(parsed, envelope, context)
    except Refusal as refusal:
        raise DomainError(str(refusal)) from refusal
    if effect.waiting:
        raise DomainError(effect.waiting)
    replies = compose(
        envelope,
        reply_id=uuid.uuid4().hex[:20],
        done=effect.done,
        plain=sender.wants_plain_ack,
    )
    link_cases(message, effect.cases)
    return settle(message, SettlementKind.PROCESSED, actor, reason, replies)
