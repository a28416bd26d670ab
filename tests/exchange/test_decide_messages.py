"""What a person decides about a message: sent again, written anew, set aside; audited each."""

import uuid

import pytest

from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case
from exchange.enums import Charset, OutboundState
from exchange.models import OutboundMessage, Peer
from exchange.selectors.outbox import sendable
from exchange.services.decisions import send_again, set_aside, write_anew
from exchange.services.writing import write_message, write_missing
from reports.models import Report
from tests.exchange.conftest import Issue, MakePeer, steps_of

WHY = "The receiver was repaired."


@pytest.fixture
def parked(make_peer: MakePeer, report: Report) -> OutboundMessage:
    """A message that was given up."""
    message = write_message(peer=make_peer(), report=report)
    return _in_state(message, OutboundState.DEAD)


def _in_state(message: OutboundMessage, state: OutboundState) -> OutboundMessage:
    values = {"state": state, "problem": "No answer.", "attempts": 8}
    OutboundMessage.objects.filter(pk=message.pk).update(**values)
    message.refresh_from_db()
    return message


def test_a_message_is_sent_again_as_it_was(parked: OutboundMessage, administrator: User) -> None:
    for _ in range(2):
        send_again(message_id=parked.pk, actor=administrator, reason=WHY)
    again = sendable(parked.peer).get()
    assert (again.pk, again.control_id, again.attempts) == (parked.pk, parked.control_id, 0)
    assert steps_of(parked) == ["replayed"]
    event = AuditEvent.objects.get(action="result_message.replayed")
    assert (event.actor, event.reason) == (administrator, WHY)


def test_a_message_is_written_anew_as_the_receiver_is_now(
    make_peer: MakePeer, report: Report, administrator: User
) -> None:
    peer = make_peer(charset=Charset.ASCII)
    write_missing(peer)
    old = peer.messages.get()
    Peer.objects.filter(pk=peer.pk).update(charset=Charset.UTF_8)
    for _ in range(2):
        new = write_anew(message_id=old.pk, actor=administrator, reason=WHY)
    old.refresh_from_db()
    assert (old.state, new.state) == (OutboundState.REPLACED, OutboundState.QUEUED)
    assert new.replaces == old
    assert new.control_id != old.control_id
    assert peer.messages.count() == 2
    assert write_missing(peer) == 0


def test_what_is_set_aside_lets_the_correction_pass(
    parked: OutboundMessage, case: Case, issue: Issue, administrator: User
) -> None:
    issue(case, "corrected")
    write_missing(parked.peer)
    assert not sendable(parked.peer).exists()
    set_aside(message_id=parked.pk, actor=administrator, reason=WHY)
    assert sendable(parked.peer).get().report.version == 2


def test_an_old_version_is_not_sent_after_its_correction(
    parked: OutboundMessage, case: Case, issue: Issue, administrator: User
) -> None:
    correction = write_message(peer=parked.peer, report=issue(case, "corrected"))
    _in_state(correction, OutboundState.ACCEPTED)
    for decide in (send_again, write_anew):
        with pytest.raises(GuardFailed, match="put back what was corrected"):
            decide(message_id=parked.pk, actor=administrator, reason=WHY)


def test_what_waits_or_is_done_cannot_be_set_aside(
    parked: OutboundMessage, administrator: User
) -> None:
    for state in (OutboundState.QUEUED, OutboundState.IN_FLIGHT, OutboundState.ACCEPTED):
        _in_state(parked, state)
        with pytest.raises(TransitionRefused):
            set_aside(message_id=parked.pk, actor=administrator, reason=WHY)


def test_a_message_in_flight_is_left_alone(parked: OutboundMessage, administrator: User) -> None:
    _in_state(parked, OutboundState.IN_FLIGHT)
    for decide in (send_again, write_anew):
        with pytest.raises(TransitionRefused):
            decide(message_id=parked.pk, actor=administrator, reason=WHY)


@pytest.mark.parametrize("decide", [send_again, write_anew, set_aside])
def test_nobody_decides_without_the_duty_or_a_reason(
    parked: OutboundMessage, administrator: User, pathologist: User, decide: object
) -> None:
    with pytest.raises(NotPermitted):
        decide(message_id=parked.pk, actor=pathologist, reason=WHY)  # type: ignore[operator]
    with pytest.raises(GuardFailed, match="reason"):
        decide(message_id=parked.pk, actor=administrator, reason=" ")  # type: ignore[operator]
    assert isinstance(parked.pk, uuid.UUID)
    assert steps_of(parked) == []
