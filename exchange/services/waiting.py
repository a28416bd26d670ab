"""What all decisions about a waiting message share: whose it is, and that it is settled once."""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from accounts.audit import record
from classifier.exceptions import DomainError, EditConflict, GuardFailed, NotPermitted
from exchange import policies
from exchange.enums import SettlementKind
from exchange.models import IncomingMessage, Sender, Settlement

if TYPE_CHECKING:
    from accounts.models import User


def lock_waiting(message_id: uuid.UUID, actor: "User", reason: str) -> IncomingMessage:
    """Return the message with its row locked.

    Raises:
        NotPermitted, EditConflict, GuardFailed: not theirs, settled already, no reason.
    """
    message = IncomingMessage.objects.select_for_update().get(pk=message_id)
    if not policies.can_settle_message(actor, message):
        raise NotPermitted("You may not settle this message.")
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    if not message.is_waiting:
        raise EditConflict("This message was settled already.")
    return message


def sender_of(message: IncomingMessage) -> Sender:
    """Return who sent the message.

    Raises:
        DomainError: nobody knows.
    """
    if message.sender is None:
        raise DomainError("Nobody knows who sent this message.")
    return message.sender


def settle(
    message: IncomingMessage,
    kind: SettlementKind,
    actor: "User",
    reason: str,
    replies: Sequence[bytes] = (),
) -> Settlement:
    """Write down what became of the message."""
    settlement = Settlement.objects.create(
        message=message, kind=kind, reason=reason.strip(), settled_by=actor, replies=list(replies)
    )
    record(
        actor=actor,
        action="message.settled",
        target=message,
        after={"kind": kind, "explanation": message.explanation},
        reason=reason,
    )
    return settlement
