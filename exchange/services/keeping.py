"""The row and the audit event of a message that came in."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.audit import record
from accounts.models import User
from classifier.models import Case
from exchange.enums import IncomingOutcome
from exchange.models import IncomingMessage, MessageCase, Sender
from exchange.refusals import Parked, Refusal


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came, and who may have sent it by the way it came."""

    data: bytes
    senders: Sequence[Sender]
    client_address: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What a message says of itself, as far as it can be read."""

    pk: uuid.UUID
    protocol: str
    digest: str
    sender: Sender | None = None
    message_type: str = ""
    control_id: str = ""


def keep_effect(
    identity: Identity,
    arrival: Arrival,
    *,
    cases: Iterable[Case],
    replies: Sequence[bytes] = (),
    notes: Sequence[str] = (),
    waiting: str = "",
) -> IncomingMessage:
    """Keep a message that took effect; `waiting` says what of it waits for a person."""
    outcome = IncomingOutcome.PARKED if waiting else IncomingOutcome.ACCEPTED
    row = _create(identity, arrival, outcome, replies, explanation=waiting, notes=list(notes))
    link_cases(row, cases)
    return row


def keep_refused(
    identity: Identity,
    arrival: Arrival,
    refusal: Refusal,
    *,
    replies: Sequence[bytes] = (),
    size: int = 0,
) -> IncomingMessage:
    """Keep a message without effect: refused, or left to a person where the sender is known."""
    is_parked = isinstance(refusal, Parked) and identity.sender is not None
    return _create(
        identity,
        arrival,
        IncomingOutcome.PARKED if is_parked else IncomingOutcome.REFUSED,
        replies,
        explanation=str(refusal),
        error_code=refusal.code,
        error_location=refusal.location,
        size=size or len(arrival.data),
    )


def link_cases(row: IncomingMessage, cases: Iterable[Case]) -> None:
    """Note which cases a message concerned."""
    known = set(row.case_links.values_list("case_id", flat=True))
    distinct = {case.pk: case for case in cases if case.pk not in known}.values()
    MessageCase.objects.bulk_create(MessageCase(message=row, case=case) for case in distinct)


def find_earlier(identity: Identity) -> IncomingMessage | None:
    """Return the row of the same message, sent before; None if it is new.

    A refused message is new each time: what it lacked may have been added here since.
    """
    return (
        IncomingMessage.objects.filter(
            sender=identity.sender, control_id=identity.control_id, digest=identity.digest
        )
        .exclude(outcome=IncomingOutcome.REFUSED)
        .select_related("settlement")
        .first()
    )


def _create(
    identity: Identity,
    arrival: Arrival,
    outcome: str,
    replies: Sequence[bytes],
    **told: object,
) -> IncomingMessage:
    values: dict[str, object] = {"size": len(arrival.data)} | told
    row = IncomingMessage.objects.create(
        id=identity.pk,
        sender=identity.sender,
        client_address=arrival.client_address,
        protocol=identity.protocol,
        message_type=identity.message_type,
        control_id=identity.control_id,
        raw=arrival.data,
        digest=identity.digest,
        outcome=outcome,
        replies=list(replies),
        **values,
    )
    _audit(row)
    return row


def _audit(row: IncomingMessage) -> None:
    told = {
        "sender": row.sender.name if row.sender else None,
        "size": row.size,
        "explanation": row.explanation,
        "error_code": row.error_code,
        "error_location": row.error_location,
    }
    record(
        actor=User.system(),
        action=f"message.{row.outcome}",
        target=row,
        after={name: value for name, value in told.items() if value != ""},
    )
