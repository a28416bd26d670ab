"""Fixtures: systems that send, and a way to hand in a message without a network."""

from collections.abc import Callable
from typing import Any

import hl7
import pytest

from exchange.enums import Protocol, SenderKind
from exchange.models import Sender
from exchange.services.keeping import Arrival
from exchange.services.receiving import receive_hl7

Send = Callable[[bytes], Any]


@pytest.fixture
def hospital(db: None) -> Sender:
    """A hospital's order entry, known by MSH-3 and MSH-4."""
    return Sender.objects.create(
        name="General Hospital",
        kind=SenderKind.ORDERS,
        application="ORDERS",
        facility="GENHOSP",
        networks="127.0.0.1",
        mrn_issuer="GENHOSP",
    )


@pytest.fixture
def analyser(db: None) -> Sender:
    """A haematology analyser that speaks HL7."""
    return Sender.objects.create(
        name="Analyser 1", kind=SenderKind.ANALYSER, application="XN", networks="127.0.0.1"
    )


@pytest.fixture
def astm_analyser(db: None) -> Sender:
    """A haematology analyser that speaks ASTM."""
    return Sender.objects.create(
        name="Analyser 2",
        kind=SenderKind.ANALYSER,
        protocol=Protocol.ASTM,
        networks="127.0.0.1",
        leaves_out_erythroblasts=True,
    )


@pytest.fixture
def send() -> Send:
    """Hand in a message and return the reply read by another library."""

    def hand_in(data: bytes) -> Any:
        senders = list(Sender.objects.filter(protocol=Protocol.HL7))
        (reply,) = receive_hl7(Arrival(data, senders, "127.0.0.1"))
        return hl7.parse(reply.decode())

    return hand_in


def code_of(reply: Any) -> str:
    """Return MSA-1 of a reply."""
    return str(reply["MSA"][0][1])
