"""The listener for ASTM, met by an analyser's side of the line."""

import socket
from collections.abc import Iterator

import pytest
from django.db import OperationalError

from accounts.models import User
from classifier.models import AnalyserResult
from classifier.services.cases import OrderDetails, open_case
from classifier.services.patients import register_patient
from exchange.astm.link import frames
from exchange.enums import Protocol
from exchange.listening import answering
from exchange.listening.astm import converse
from exchange.listening.config import Limits
from exchange.models import IncomingMessage
from tests.clinical import JANE, recent_specimen
from tests.exchange.listening import Running, connect
from tests.exchange.messages import astm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("astm_analyser")]


@pytest.fixture
def accession(technician: User) -> str:
    patient = register_patient(actor=technician, identity=JANE)
    order, specimen = OrderDetails(), recent_specimen()
    return open_case(
        actor=technician, patient=patient, order=order, specimen=specimen
    ).accession_number


@pytest.fixture
def listener() -> Iterator[Running]:
    with Running(Protocol.ASTM, converse, Limits(frame_seconds=20)) as running:
        yield running


def test_stores_a_message_before_it_acknowledges_its_last_frame(
    listener: Running, accession: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = answering.receive_astm
    tries = iter((OperationalError("away"), None))

    def away_at_first(arrival):  # type: ignore[no-untyped-def]
        if problem := next(tries):
            raise problem
        return receive(arrival)

    monkeypatch.setattr(answering, "receive_astm", away_at_first)
    with connect(listener.port) as stream:
        stream.sendall(b"\x05")
        assert stream.recv(1) == b"\x06"
        *most, last = frames(astm(accession))
        for frame in most:
            stream.sendall(frame)
            assert stream.recv(1) == b"\x06"
        assert not IncomingMessage.objects.exists()
        stream.sendall(last)
        assert stream.recv(1) == b"\x15"
        stream.sendall(last)
        assert stream.recv(1) == b"\x06"
        assert AnalyserResult.objects.count() == 3
        stream.sendall(b"\x04")


def test_silence_ends_a_session_and_the_line_stays_open(accession: str) -> None:
    limits = Limits(frame_seconds=0.05)
    with Running(Protocol.ASTM, converse, limits) as listener, connect(listener.port) as stream:
        stream.sendall(b"\x05\x02")
        assert stream.recv(1) == b"\x06"
        stream.settimeout(0.2)
        assert any(answers_a_call(stream) for _ in range(100))


def answers_a_call(stream: socket.socket) -> bool:
    """Say whether the line acknowledges a call; one within a session's silence is lost with it."""
    stream.sendall(b"\x05")
    try:
        return stream.recv(1) == b"\x06"
    except TimeoutError:
        return False
