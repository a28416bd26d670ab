"""Sending what waits: one message at a time to each peer, each step recorded before the next.

The rows say all: a message is stored as being sent before its first byte leaves, and sent again
under the same control id if the process died before the answer was recorded. So nothing is lost,
and the receiver sees a doubled message as one.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from exchange.answers import Unreadable, as_text, read_answer
from exchange.enums import DeliveryStep, OutboundState
from exchange.mllp import (
    Address,
    Connection,
    GarbledAnswer,
    NoAnswer,
    NotReached,
    open_connection,
    tls_context,
)
from exchange.models import DeliveryEvent, OutboundMessage, Peer
from exchange.selectors.outbox import sendable

logger = logging.getLogger(__name__)

# The first key of PostgreSQL's advisory locks of this app; the second is the peer.
LOCK_SPACE = 0x48_4C_37

RETRIED = {
    DeliveryStep.REFUSED: "The receiver refused it for now",
    DeliveryStep.NO_ANSWER: "The receiver did not answer",
    DeliveryStep.GARBLED: "The receiver's answer was not understood",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of sending a message once."""

    step: DeliveryStep
    detail: str = ""
    answer: str = ""

    @property
    def keeps_connection(self) -> bool:
        """True if the connection can carry the next message: nothing of this one is to come."""
        return self.step not in (DeliveryStep.NO_ANSWER, DeliveryStep.GARBLED)


def deliver_waiting(peer: Peer, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Send the peer's messages that are due, one after the other; return how many were tried.

    Does nothing while another process sends to this peer, or while the peer can't be reached.
    """
    with only_sender(peer) as is_ours:
        if not is_ours:
            return 0
        recover_interrupted(peer)
        if (peer.contact_after and peer.contact_after > timezone.now()) or not sendable(
            peer
        ).exists():
            return 0
        try:
            with open_connection(address_of(peer)) as link:
                link.is_stopping = is_stopping
                _mark_reached(peer)
                return _send_all(peer, link)
        except NotReached as problem:
            _mark_unreachable(peer, str(problem))
            return 0


@contextmanager
def only_sender(peer: Peer) -> Iterator[bool]:
    """Hold the peer's lock, which PostgreSQL lets go when this process dies; False if taken."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, peer.pk])
        is_ours: bool = cursor.fetchone()[0]
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, peer.pk])


def address_of(peer: Peer) -> Address:
    """Return where and how to reach a peer.

    Raises:
        NotReached: it has no address, or its certificates can't be read.
    """
    if not peer.host or peer.port is None:
        raise NotReached("The peer has no address.")
    if not peer.uses_tls:
        return Address(peer.host, peer.port)
    identity = settings.EXCHANGE_TLS_DIR / peer.client_identity if peer.client_identity else None
    context = tls_context(ca_certificate=peer.ca_certificate, identity=identity)
    return Address(peer.host, peer.port, context, peer.server_name)


@transaction.atomic
def recover_interrupted(peer: Peer) -> None:
    """Queue again what a sender left unanswered; only under the peer's lock."""
    left = peer.messages.select_for_update().filter(state=OutboundState.IN_FLIGHT)
    for message in left:
        _note(message, DeliveryStep.INTERRUPTED, "Sent again under the same control id.")
        _change(message, state=OutboundState.QUEUED, due_at=timezone.now())


def _send_all(peer: Peer, link: Connection) -> int:
    tried = 0
    while not link.is_stopping() and (message := _claim_next(peer)):
        tried += 1
        outcome = _send(message, link, seconds=peer.answer_seconds)
        record_outcome(message, outcome)
        if not outcome.keeps_connection:
            break
    return tried


@transaction.atomic
def _claim_next(peer: Peer) -> OutboundMessage | None:
    """Store that the next message is being sent, before it is."""
    message = sendable(peer).select_for_update(of=("self",)).first()
    if message is None:
        return None
    _change(message, state=OutboundState.IN_FLIGHT, attempts=message.attempts + 1)
    _note(message, DeliveryStep.SENDING)
    return message


def _send(message: OutboundMessage, link: Connection, *, seconds: float) -> Outcome:
    """Send a message and wait for its own answer; answers to others are kept and passed over."""
    try:
        link.send(bytes(message.body), seconds=seconds)
        deadline = time.monotonic() + seconds
        while True:
            data = link.receive(deadline=deadline)
            answer = read_answer(data)
            if answer.control_id == message.control_id:
                detail = f"{answer.code} {answer.words}".strip()
                return Outcome(answer.step, detail, as_text(data))
            _note(message, DeliveryStep.UNMATCHED, "", as_text(data))
    except NoAnswer as problem:
        return Outcome(DeliveryStep.NO_ANSWER, str(problem))
    except GarbledAnswer as problem:
        return Outcome(DeliveryStep.GARBLED, str(problem), as_text(problem.data[:1000]))
    except Unreadable as problem:
        return Outcome(DeliveryStep.GARBLED, str(problem), as_text(data))


@transaction.atomic
def record_outcome(message: OutboundMessage, outcome: Outcome) -> None:
    """Write down what came of an attempt, unless somebody else has taken the message over."""
    current = (
        OutboundMessage.objects.select_for_update(of=("self",))
        .select_related("peer", "report__case")
        .filter(pk=message.pk, state=OutboundState.IN_FLIGHT, attempts=message.attempts)
        .first()
    )
    if current is None:
        return
    _note(current, outcome.step, outcome.detail, outcome.answer)
    if outcome.step == DeliveryStep.ACCEPTED:
        _change(current, state=OutboundState.ACCEPTED, finished_at=timezone.now(), problem="")
        _audit(current, "result_message.accepted")
    elif outcome.step == DeliveryStep.REJECTED:
        problem = f"The receiver rejected it: {outcome.detail}"
        _change(current, state=OutboundState.REJECTED, problem=problem)
        _audit(current, "result_message.rejected")
    else:
        _try_later(current, outcome)


def _try_later(message: OutboundMessage, outcome: Outcome) -> None:
    """Queue a message again after a pause, or give it up for a person to see."""
    problem = f"{RETRIED[outcome.step]}: {outcome.detail}"
    if message.attempts < message.peer.most_attempts:
        pause = pause_after(message.attempts, message.peer)
        due_at = timezone.now() + pause
        _change(message, state=OutboundState.QUEUED, due_at=due_at, problem=problem)
        return
    _note(message, DeliveryStep.GIVEN_UP, f"After {message.attempts} attempts.")
    _change(message, state=OutboundState.DEAD, problem=problem)
    _audit(message, "result_message.given_up")


def pause_after(failures: int, peer: Peer) -> timedelta:
    """Return how long to wait: doubled each time up to the longest, a random half of it off.

    The chance keeps many messages, or many sites, from coming back at once.
    """
    doubled: float = peer.first_pause_seconds * 2 ** min(failures - 1, 30)
    seconds = min(doubled, peer.longest_pause_seconds) * random.uniform(0.5, 1.0)  # noqa: S311
    return timedelta(seconds=seconds)


def _mark_reached(peer: Peer) -> None:
    if peer.contact_failures:
        _found(peer, unreachable_since=None, contact_failures=0, contact_after=None)


@transaction.atomic
def _mark_unreachable(peer: Peer, problem: str) -> None:
    """Leave the peer alone for a while; its messages only wait, none of them is at fault."""
    failures, now = peer.contact_failures + 1, timezone.now()
    logger.warning("Peer %s can't be reached: %s", peer.pk, problem)
    if peer.unreachable_since is None and (first := sendable(peer).first()):
        _note(first, DeliveryStep.UNREACHABLE, problem)
    _found(
        peer,
        unreachable_since=peer.unreachable_since or now,
        contact_failures=failures,
        contact_after=now + pause_after(failures, peer),
    )


def _found(peer: Peer, **values: object) -> None:
    for name, value in values.items():
        setattr(peer, name, value)
    peer.save(update_fields=[*values])


def _change(message: OutboundMessage, **values: object) -> None:
    for name, value in values.items():
        setattr(message, name, value)
    message.save(update_fields=[*values])


def _note(message: OutboundMessage, step: DeliveryStep, detail: str = "", answer: str = "") -> None:
    DeliveryEvent.objects.create(
        message=message, attempt=message.attempts, step=step, detail=detail, answer=answer
    )


def _audit(message: OutboundMessage, action: str) -> None:
    record(
        actor=User.system(),
        action=action,
        target=message,
        after={
            "peer": message.peer.name,
            "version": message.report.version,
            "attempts": message.attempts,
            "sha256": message.sha256,
        },
        patient=message.report.case.patient_id,
    )
