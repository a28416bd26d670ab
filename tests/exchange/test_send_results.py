"""Sending: answers are matched and obeyed, order is kept, nobody is asked too often."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from classifier.models import Case
from classifier.services.cases import OrderDetails, open_case
from exchange.enums import OutboundState
from exchange.models import OutboundMessage, Peer
from exchange.services.delivery import deliver_waiting, pause_after
from exchange.services.writing import write_missing
from reports.models import Report
from tests.clinical import recent_specimen
from tests.exchange.conftest import Issue, MakePeer, StartReceiver, let_time_pass, steps_of

pytestmark = pytest.mark.processes


def _send(peer: Peer) -> OutboundMessage:
    """Write what is missing, send what is due; return the first message."""
    write_missing(peer)
    deliver_waiting(peer)
    return peer.messages.order_by("sequence").first()  # type: ignore[return-value]


def test_an_accepted_message_is_done(
    receiver: StartReceiver, make_peer: MakePeer, report: Report
) -> None:
    process = receiver()
    peer = make_peer(port=process.port)
    message = _send(peer)
    assert message.state == OutboundState.ACCEPTED
    assert message.finished_at is not None
    assert steps_of(message) == ["sending", "accepted"]
    assert f"MSA|AA|{message.control_id}" in message.events.last().answer  # type: ignore[union-attr]
    assert AuditEvent.objects.get(action="result_message.accepted").target_id == str(message.pk)
    assert deliver_waiting(peer) == 0
    assert [each["control_id"] for each in process.seen()] == [message.control_id]
    assert process.seen()[0]["text"].encode() == bytes(message.body)


def test_enhanced_mode_is_answered_when_the_message_is_stored(
    receiver: StartReceiver, make_peer: MakePeer, report: Report
) -> None:
    process = receiver("CA")
    message = _send(make_peer(port=process.port, ack_mode="enhanced"))
    assert message.state == OutboundState.ACCEPTED
    assert "|AL|NE|" in process.seen()[0]["text"]


@pytest.mark.parametrize("code", ["AE", "CE"])
def test_an_error_waits_for_a_person_and_is_never_sent_again_blindly(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, code: str
) -> None:
    process = receiver(code)
    peer = make_peer(port=process.port)
    message = _send(peer)
    assert message.state == OutboundState.REJECTED
    assert code in message.problem
    assert AuditEvent.objects.filter(action="result_message.rejected").count() == 1
    let_time_pass(peer)
    assert deliver_waiting(peer) == 0
    assert len(process.seen()) == 1


@pytest.mark.parametrize("code", ["AR", "CR"])
def test_a_refusal_is_sent_again_unchanged_later(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, code: str
) -> None:
    process = receiver(code)
    peer = make_peer(port=process.port)
    message = _send(peer)
    assert message.state == OutboundState.QUEUED
    assert message.due_at > timezone.now()
    assert deliver_waiting(peer) == 0
    let_time_pass(peer)
    deliver_waiting(peer)
    message.refresh_from_db()
    assert message.state == OutboundState.ACCEPTED
    first, second = process.seen()
    assert first == second


@pytest.mark.parametrize(
    ("behaviour", "step"), [("silent", "no_answer"), ("garbled", "garbled"), ("half", "garbled")]
)
def test_without_an_answer_that_is_understood_it_is_sent_again(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, behaviour: str, step: str
) -> None:
    process = receiver(behaviour)
    peer = make_peer(port=process.port, answer_seconds=1)
    message = _send(peer)
    assert message.state == OutboundState.QUEUED
    assert steps_of(message) == ["sending", step]
    if behaviour == "half":
        process.wait_for_death()
        process.start()
    let_time_pass(peer)
    deliver_waiting(peer)
    message.refresh_from_db()
    assert message.state == OutboundState.ACCEPTED
    assert len({each["control_id"] for each in process.seen()}) == 1


def test_an_answer_to_another_message_is_kept_and_passed_over(
    receiver: StartReceiver, make_peer: MakePeer, report: Report
) -> None:
    process = receiver("other")
    message = _send(make_peer(port=process.port))
    assert message.state == OutboundState.ACCEPTED
    assert steps_of(message) == ["sending", "unmatched", "accepted"]


def test_it_is_given_up_after_as_many_attempts_as_the_peer_is_given(
    receiver: StartReceiver, make_peer: MakePeer, report: Report
) -> None:
    process = receiver("AR", "AR", "AR")
    peer = make_peer(port=process.port, most_attempts=3)
    message = _send(peer)
    for _ in range(4):
        let_time_pass(peer)
        deliver_waiting(peer)
    message.refresh_from_db()
    assert message.state == OutboundState.DEAD
    assert message.attempts == 3
    assert steps_of(message)[-1] == "given_up"
    assert len(process.seen()) == 3
    assert AuditEvent.objects.filter(action="result_message.given_up").count() == 1


def test_a_peer_that_is_away_costs_no_message_an_attempt(
    make_peer: MakePeer, report: Report
) -> None:
    peer = make_peer(most_attempts=1)
    for _ in range(3):
        message = _send(peer)
        let_time_pass(peer)
    assert message.state == OutboundState.QUEUED
    assert message.attempts == 0
    assert peer.contact_failures == 3
    assert peer.unreachable_since is not None
    assert steps_of(message) == ["unreachable"]


def test_a_peer_that_is_away_is_left_alone_for_a_while_and_found_again(
    receiver: StartReceiver, make_peer: MakePeer, report: Report
) -> None:
    peer = make_peer()
    _send(peer)
    process = receiver()
    Peer.objects.filter(pk=peer.pk).update(port=process.port)
    peer.refresh_from_db()
    assert peer.contact_after is not None
    assert deliver_waiting(peer) == 0
    let_time_pass(peer)
    assert deliver_waiting(peer) == 1
    peer.refresh_from_db()
    assert (peer.unreachable_since, peer.contact_failures) == (None, 0)


def test_a_correction_never_overtakes_its_original(
    receiver: StartReceiver, make_peer: MakePeer, case: Case, issue: Issue
) -> None:
    issue(case)
    issue(case, "corrected")
    process = receiver("AR")
    peer = make_peer(port=process.port)
    _send(peer)
    assert [each["status"] for each in process.seen()] == ["F"]
    let_time_pass(peer)
    deliver_waiting(peer)
    assert [each["status"] for each in process.seen()] == ["F", "F", "C"]


def test_a_parked_message_holds_up_its_own_case_alone(
    receiver: StartReceiver, make_peer: MakePeer, case: Case, issue: Issue
) -> None:
    other = open_case(
        actor=case.registered_by,
        patient=case.patient,
        order=OrderDetails(),
        specimen=recent_specimen(),
    )
    issue(case)
    issue(case, "corrected")
    issue(other)
    process = receiver("AE")
    peer = make_peer(port=process.port)
    _send(peer)
    states = peer.messages.order_by("sequence").values_list("state", flat=True)
    assert list(states) == ["rejected", "queued", "accepted"]


def test_messages_go_one_after_the_other_over_one_connection(
    receiver: StartReceiver, make_peer: MakePeer, case: Case, issue: Issue
) -> None:
    for status in ("preliminary", "final", "corrected"):
        issue(case, status)
    process = receiver()
    _send(make_peer(port=process.port))
    assert [each["status"] for each in process.seen()] == ["P", "F", "C"]


def test_pauses_double_up_to_the_longest_and_no_two_are_alike(make_peer: MakePeer) -> None:
    peer = make_peer(first_pause_seconds=4, longest_pause_seconds=60)
    for failures, longest in ((1, 4), (2, 8), (4, 32), (5, 60), (99, 60)):
        for _ in range(20):
            pause = pause_after(failures, peer)
            assert timedelta(seconds=longest / 2) <= pause <= timedelta(seconds=longest)
    assert len({pause_after(5, peer) for _ in range(20)}) > 1
