"""Taking an HL7 message in: its effect, its row, its audit event and its reply in one transaction.

A message that was answered is committed; one that wasn't can be sent again. The same control ID
with the same content gives the same answer and nothing else. What is refused has no effect but
its row.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import User
from classifier.models import Case
from exchange.enums import Protocol, SenderKind
from exchange.hl7v2.envelope import Envelope, check, read_envelope
from exchange.hl7v2.message import Message, digest_of, parse, read_header
from exchange.hl7v2.orders import read_orders
from exchange.hl7v2.replies import Done, compose
from exchange.hl7v2.results import read_results
from exchange.models import IncomingMessage, Sender
from exchange.refusals import INTERNAL, UNSUPPORTED_TYPE, Refusal
from exchange.services.keeping import (
    Arrival,
    Identity,
    find_earlier,
    keep_effect,
    keep_refused,
)
from exchange.services.merges import propose_merge
from exchange.services.orders import Context, apply_order
from exchange.services.results import apply_results

LARGEST_MESSAGE = 1024 * 1024
LONGEST_CONTROL_ID = 199
UNREADABLE = read_envelope(read_header(b"MSH|^~\\&|||||||ACK"))
"""Stands for the header of a message that has none that can be read."""

BUSY = "This can't be done at the moment; send the same message again."
TOO_LARGE = "The message is larger than this receiver takes."
NOT_TAKEN = "Messages of this sender are not taken."


@dataclass(frozen=True, slots=True)
class Effect:
    """What a message did; `waiting` says what of it waits for a person, `said` what its sender is
    told besides yes.
    """

    cases: tuple[Case, ...] = ()
    done: Done | None = None
    notes: tuple[str, ...] = ()
    waiting: str = ""
    said: str = ""


@dataclass(slots=True)
class _Incoming:
    """A message on its way through: what is known of it so far."""

    arrival: Arrival
    pk: uuid.UUID = field(default_factory=uuid.uuid4)
    envelope: Envelope = UNREADABLE
    sender: Sender | None = None

    @property
    def identity(self) -> Identity:
        """What the row says of the message, in printable signs."""
        kind = (self.envelope.message_type, self.envelope.event)
        control_id = "".join(filter(str.isprintable, self.envelope.control_id))
        return Identity(
            pk=self.pk,
            protocol=Protocol.HL7,
            digest=digest_of(self.arrival.data),
            sender=self.sender,
            message_type="^".join(part for part in kind if part.isalnum())[:20],
            control_id=control_id[:LONGEST_CONTROL_ID],
        )


def receive_hl7(arrival: Arrival) -> tuple[bytes, ...]:
    """Take a message in and return the messages that answer it."""
    incoming = _Incoming(arrival)
    try:
        incoming.envelope = read_envelope(read_header(arrival.data))
        incoming.sender = _sender(arrival.senders, incoming.envelope)
        check(incoming.envelope)
        with transaction.atomic():
            return _take(incoming, incoming.sender)
    except Refusal as refusal:
        with transaction.atomic():
            return _refuse(incoming, refusal)


def answer_without_record(data: bytes, *, text: str) -> tuple[bytes, ...]:
    """Return a rejection of a message that nothing is kept of, where its header can be read."""
    try:
        envelope = read_envelope(read_header(data))
    except Refusal:
        envelope = UNREADABLE
    refusal = Refusal(text, code=INTERNAL, rejects=True)
    return compose(envelope, reply_id=uuid.uuid4().hex[:20], refusal=refusal)


def refuse_oversized(arrival: Arrival, size: int) -> tuple[bytes, ...]:
    """Refuse a message of which only the beginning was read; nothing but its size is kept."""
    incoming = _Incoming(arrival)
    try:
        incoming.envelope = read_envelope(read_header(arrival.data))
        incoming.sender = _sender(arrival.senders, incoming.envelope)
    except Refusal:
        pass
    incoming.arrival = Arrival(b"", arrival.senders, arrival.client_address)
    with transaction.atomic():
        return _refuse(incoming, Refusal(TOO_LARGE, rejects=True), size=size)


def apply_message(message: Message, envelope: Envelope, context: Context) -> Effect:
    """Do what a message of a sender asks: orders of one that orders, results of an analyser.

    A merge of patient records waits for a person, whoever sends it.

    Raises:
        Refusal: it can't be done, or this sender doesn't send such messages.
    """
    sender = context.sender
    is_result = envelope.message_type == "ORU"
    if is_result != (sender.kind == SenderKind.ANALYSER):
        text = "This sender does not send messages of this type."
        raise Refusal(text, code=UNSUPPORTED_TYPE, location="MSH^1^9", rejects=True)
    if is_result:
        brought = apply_results(read_results(message, zone=sender.zone), context)
        return Effect(brought.cases, None, brought.notes, brought.waiting)
    if envelope.message_type == "ADT":
        waiting, said = propose_merge(message, sender)
        return Effect(waiting=waiting, said=said, notes=message.notes)
    orders = read_orders(message, zone=sender.zone, default_issuer=sender.mrn_issuer)
    outcomes = [apply_order(order, context) for order in orders]
    return Effect(
        cases=tuple(outcome.case for outcome in outcomes),
        done=Done(orders[0].patient, tuple(outcome.reply for outcome in outcomes)),
        notes=orders[0].notes,
    )


def answer_of(row: IncomingMessage) -> tuple[bytes, ...]:
    """Return the answer that a message was given, or was given once a person settled it."""
    settled = getattr(row, "settlement", None)
    return tuple(bytes(reply) for reply in (settled and settled.replies) or row.replies)


def _sender(senders: Iterable[Sender], envelope: Envelope) -> Sender:
    header = envelope.header
    names = (header.text(3), header.text(4))
    for sender in senders:
        wanted = (sender.application, sender.facility)
        if all(not want or want == name for want, name in zip(wanted, names, strict=True)):
            return sender
    raise Refusal("This sender is not known here.", location="MSH^1^3", rejects=True)


def lock_sender(sender: Sender) -> Sender:
    """Return the sender with its row locked: its messages are taken one after the other.

    Raises:
        Refusal: its messages are not taken any more.
    """
    locked = Sender.objects.select_for_update().get(pk=sender.pk)
    if not locked.is_active:
        raise Refusal(NOT_TAKEN, location="MSH^1^3", rejects=True)
    return locked


def _take(incoming: _Incoming, sender: Sender) -> tuple[bytes, ...]:
    locked = lock_sender(sender)
    if earlier := find_earlier(incoming.identity):
        return answer_of(earlier)
    message = parse(incoming.arrival.data, locked.charset)
    context = Context(locked, incoming.pk, User.system())
    effect = apply_message(message, incoming.envelope, context)
    replies = compose(
        incoming.envelope,
        reply_id=incoming.pk.hex[:20],
        done=effect.done,
        said=effect.said or effect.waiting,
        plain=locked.wants_plain_ack,
    )
    keep_effect(
        incoming.identity,
        incoming.arrival,
        cases=effect.cases,
        replies=replies,
        notes=effect.notes,
        waiting=effect.waiting,
    )
    return replies


def _refuse(incoming: _Incoming, refusal: Refusal, size: int = 0) -> tuple[bytes, ...]:
    plain = bool(incoming.sender and incoming.sender.wants_plain_ack)
    replies = compose(
        incoming.envelope, reply_id=incoming.pk.hex[:20], refusal=refusal, plain=plain
    )
    keep_refused(incoming.identity, incoming.arrival, refusal, replies=replies, size=size)
    return replies
