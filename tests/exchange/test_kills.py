"""Whoever dies at whatever moment: nothing is lost, nothing is doubled by its control id."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from django.db import connection

from classifier.models import Case
from classifier.services.cases import OrderDetails, open_case
from exchange.enums import OutboundState
from exchange.models import OutboundMessage, Peer
from exchange.services.delivery import deliver_waiting
from exchange.services.writing import write_missing
from reports.models import Report
from tests.clinical import recent_specimen
from tests.exchange.conftest import (
    ROOT,
    Issue,
    MakePeer,
    ReceiverProcess,
    StartReceiver,
    let_time_pass,
    steps_of,
)
from tests.faults.site import wait_until

StartSender = Callable[[], "subprocess.Popen[bytes]"]

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sender() -> Iterator[StartSender]:
    """Return a starter of real senders on the test's database."""
    path = f"/{connection.settings_dict['NAME']}"
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=path).geturl()
    environment = os.environ | {"DATABASE_URL": database}
    with ExitStack() as running:

        def start() -> "subprocess.Popen[bytes]":
            command = [sys.executable, "-m", "hematovision.outbox"]
            process = subprocess.Popen(command, cwd=ROOT, env=environment)
            running.callback(process.wait)
            running.callback(process.kill)
            return process

        yield start


def _all_accepted(number: int) -> bool:
    states = list(OutboundMessage.objects.values_list("state", flat=True))
    return states == [OutboundState.ACCEPTED] * number


def _check_once(process: ReceiverProcess, number: int) -> None:
    """Check that the receiver knows each message once by control id, and each the same."""
    seen = process.seen()
    texts = {each["control_id"]: each["text"] for each in seen}
    assert len(texts) == number
    assert all(texts[each["control_id"]] == each["text"] for each in seen)
    stored = {message.control_id: message.body for message in OutboundMessage.objects.all()}
    assert {key: text.encode() for key, text in texts.items()} == {
        key: bytes(body) for key, body in stored.items()
    }


@pytest.mark.parametrize(
    ("moment", "arrivals", "step"),
    [("deaf", 1, "no_answer"), ("die", 2, "no_answer"), ("half", 2, "garbled")],
    ids=["before reading", "between reading and answering", "amid the answer"],
)
def test_the_receiver_dies(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, moment: str, arrivals: int,
    step: str,
) -> None:  # fmt: skip
    process = receiver(moment)
    peer = make_peer(port=process.port)
    write_missing(peer)
    deliver_waiting(peer)
    process.wait_for_death()
    message = peer.messages.get()
    assert message.state == OutboundState.QUEUED
    assert steps_of(message) == ["sending", step]
    process.start()
    let_time_pass(peer)
    deliver_waiting(peer)
    assert _all_accepted(1)
    assert len(process.seen()) == arrivals
    _check_once(process, 1)


def test_the_sender_is_killed_between_sending_and_recording(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, sender: StartSender
) -> None:
    process = receiver("silent")
    make_peer(port=process.port, answer_seconds=60)
    killed = sender()
    wait_until(lambda: len(process.seen()) == 1, "the message was read", 30)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    message = OutboundMessage.objects.get()
    assert message.state == OutboundState.IN_FLIGHT
    sender()
    wait_until(lambda: _all_accepted(1), "the message is accepted", 30)
    assert steps_of(message) == ["sending", "interrupted", "sending", "accepted"]
    assert len(process.seen()) == 2
    _check_once(process, 1)


def test_a_sender_that_is_told_to_stop_stops_and_the_next_goes_on(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, sender: StartSender
) -> None:
    process = receiver("silent")
    make_peer(port=process.port, answer_seconds=60)
    stopped = sender()
    wait_until(lambda: len(process.seen()) == 1, "the message was read", 30)
    stopped.terminate()
    assert stopped.wait(10) == 0
    sender()
    wait_until(lambda: _all_accepted(1), "the message is accepted", 30)
    _check_once(process, 1)


def test_one_sender_serves_a_peer_at_a_time(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, sender: StartSender
) -> None:
    process = receiver("silent")
    peer = make_peer(port=process.port, answer_seconds=60)
    sender()
    wait_until(lambda: len(process.seen()) == 1, "the message was read", 30)
    assert deliver_waiting(peer) == 0
    assert steps_of(peer.messages.get()) == ["sending"]


def test_receivers_and_senders_die_in_turn_and_every_result_arrives_once(
    receiver: StartReceiver, make_peer: MakePeer, case: Case, issue: Issue, sender: StartSender
) -> None:
    number = 12
    _issue_many(case, issue, number)
    process = receiver("accept", "accept", "die")
    make_peer(
        port=process.port, answer_seconds=2, first_pause_seconds=1, longest_pause_seconds=1,
        most_attempts=20,
    )  # fmt: skip
    running = sender()
    for conversation in (("accept", "half"), ("AR", "accept", "die"), ("deaf",)):
        process.wait_for_death()
        running.kill()
        running.wait()
        process.start(*conversation)
        running = sender()
    process.wait_for_death()
    process.start()
    wait_until(lambda: _all_accepted(number), "all are accepted", 60)
    _check_once(process, number)
    assert len(process.seen()) > number
    assert Peer.objects.get().unreachable_since is None


def _issue_many(case: Case, issue: Issue, number: int) -> None:
    """Issue first versions and corrections of several cases of one patient."""
    for _ in range(number // 2):
        other = open_case(
            actor=case.registered_by,
            patient=case.patient,
            order=OrderDetails(),
            specimen=recent_specimen(),
        )
        issue(other)
        issue(other, "corrected")
