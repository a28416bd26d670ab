"""What a person decides about a message: send it again, write it anew, set it aside, read it."""

import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record, record_read
from classifier.exceptions import GuardFailed, TransitionRefused
from exchange import policies
from exchange.enums import PARKED_STATES, DeliveryStep, OutboundState
from exchange.models import DeliveryEvent, OutboundMessage
from exchange.selectors.outbox import later_version_accepted
from exchange.services.writing import write_message

if TYPE_CHECKING:
    from accounts.models import User

REPLAYABLE = (OutboundState.REJECTED, OutboundState.DEAD, OutboundState.ACCEPTED)
REWRITABLE = (*PARKED_STATES, OutboundState.ACCEPTED)


@transaction.atomic
def send_again(*, message_id: uuid.UUID, actor: "User", reason: str) -> OutboundMessage:
    """Queue a message again as it is, under its control id: a receiver that has it says so.

    Again is harmless while it waits.

    Raises:
        NotPermitted, TransitionRefused: not this person, or not from this state.
        GuardFailed: no reason, contents disposed of, or the receiver has a later version.
    """
    message = _locked(message_id, actor, reason)
    if message.state == OutboundState.QUEUED:
        return message
    _check(message, REPLAYABLE)
    if message.disposed_at:
        raise GuardFailed("What it said was disposed of: write it anew instead.")
    _decide(message, OutboundState.QUEUED, DeliveryStep.REPLAYED, actor, reason)
    message.attempts, message.due_at, message.finished_at = 0, timezone.now(), None
    message.save(update_fields=["attempts", "due_at", "finished_at"])
    record_decision(message, "result_message.replayed", actor, reason)
    return message


@transaction.atomic
def write_anew(*, message_id: uuid.UUID, actor: "User", reason: str) -> OutboundMessage:
    """Write the report again, under a new control id and as the receiver is now set up.

    Again gives the message that stands in the place of this one.

    Raises:
        NotPermitted, TransitionRefused: not this person, or not from this state.
        GuardFailed: no reason, or the receiver has a later version of the report.
    """
    message = _locked(message_id, actor, reason)
    if message.state == OutboundState.REPLACED:
        return message.replaced_by
    _check(message, REWRITABLE)
    _decide(message, OutboundState.REPLACED, DeliveryStep.REPLACED, actor, reason)
    written = write_message(peer=message.peer, report=message.report, replaces=message)
    record_decision(message, "result_message.rewritten", actor, reason, by=written.control_id)
    return written


@transaction.atomic
def set_aside(*, message_id: uuid.UUID, actor: "User", reason: str) -> OutboundMessage:
    """Give up a parked message for good; later versions of its report may then follow.

    Raises:
        NotPermitted, TransitionRefused: not this person, or not from this state.
        GuardFailed: no reason is given.
    """
    message = _locked(message_id, actor, reason)
    if message.state == OutboundState.SET_ASIDE:
        return message
    if message.state not in PARKED_STATES:
        raise TransitionRefused("Only a message that waits for a person can be set aside.")
    _decide(message, OutboundState.SET_ASIDE, DeliveryStep.SET_ASIDE, actor, reason)
    record_decision(message, "result_message.set_aside", actor, reason)
    return message


def read_identities(*, message: OutboundMessage, actor: "User") -> None:
    """Write down that somebody reads a message with the patient's identity.

    Raises:
        NotPermitted: the actor doesn't connect other systems, or the record is closed to them.
    """
    policies.check_can_manage(actor)
    patient = message.report.case.patient
    policies.check_is_open(actor, [patient.pk])
    with transaction.atomic():
        record(actor=actor, action="result_message.read", target=message, patient=patient)
    record_read(actor=actor, patient=patient)


def record_decision(
    message: OutboundMessage, action: str, actor: "User", reason: str, **more: str
) -> None:
    """Write down who decided what about a message, and why."""
    record(
        actor=actor,
        action=action,
        target=message,
        after={"peer": message.peer.name, "version": message.report.version, **more},
        reason=reason,
        patient=message.report.case.patient_id,
    )


def _locked(message_id: uuid.UUID, actor: "User", reason: str) -> OutboundMessage:
    policies.check_can_manage(actor)
    if not reason.strip():
        raise GuardFailed("Give a reason.")
    messages = OutboundMessage.objects.select_for_update(of=("self",))
    return messages.select_related("peer", "report__case").get(pk=message_id)


def _check(message: OutboundMessage, states: tuple[OutboundState, ...]) -> None:
    if message.state not in states:
        raise TransitionRefused("The message is not in a state from which this is possible.")
    if later_version_accepted(message):
        raise GuardFailed(
            "The receiver has accepted a later version of this report already: "
            "sending this one now would put back what was corrected."
        )


def _decide(
    message: OutboundMessage, state: OutboundState, step: DeliveryStep, actor: "User", reason: str
) -> None:
    detail = f"{actor.name_with_title}: {reason.strip()}"
    DeliveryEvent.objects.create(
        message=message, attempt=message.attempts, step=step, detail=detail
    )
    message.state = state
    message.save(update_fields=["state"])
