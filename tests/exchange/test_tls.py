"""TLS to a receiver: its certificate and name are verified, ours is shown where it is wanted."""

from pathlib import Path

import pytest
from pytest_django import Settings

from exchange.enums import OutboundState
from exchange.models import OutboundMessage, Peer
from exchange.services.delivery import deliver_waiting
from exchange.services.writing import write_missing
from reports.models import Report
from tests.exchange.certificates import Authority
from tests.exchange.conftest import MakePeer, StartReceiver

pytestmark = pytest.mark.processes
HOST = "results.example"


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server_file(authority: Authority, tmp_path: Path) -> str:
    return str(authority.issue(HOST, tmp_path / "server.pem"))


def _send(peer: Peer) -> OutboundMessage:
    write_missing(peer)
    deliver_waiting(peer)
    return peer.messages.get()


def test_a_verified_receiver_gets_the_message(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, authority: Authority,
    server_file: str,
) -> None:  # fmt: skip
    process = receiver(RECEIVER_CERTIFICATE=server_file)
    peer = make_peer(
        port=process.port, uses_tls=True, ca_certificate=authority.pem, server_name=HOST
    )
    assert _send(peer).state == OutboundState.ACCEPTED


@pytest.mark.parametrize("wrong", ["authority", "name", "system"])
def test_nothing_is_sent_to_a_receiver_that_is_not_verified(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, authority: Authority,
    server_file: str, wrong: str,
) -> None:  # fmt: skip
    process = receiver(RECEIVER_CERTIFICATE=server_file)
    trusted = {"authority": Authority("Another").pem, "name": authority.pem, "system": ""}[wrong]
    name = "other.example" if wrong == "name" else HOST
    peer = make_peer(port=process.port, uses_tls=True, ca_certificate=trusted, server_name=name)
    message = _send(peer)
    assert message.state == OutboundState.QUEUED
    assert message.attempts == 0
    assert "TLS failed" in message.events.get().detail
    assert process.seen() == []


def test_our_certificate_is_shown_where_it_is_wanted(
    receiver: StartReceiver, make_peer: MakePeer, report: Report, authority: Authority,
    server_file: str, tmp_path: Path, settings: Settings,
) -> None:  # fmt: skip
    ca = tmp_path / "ca.pem"
    ca.write_text(authority.pem)
    authority.issue("laboratory.example", tmp_path / "ours.pem")
    settings.EXCHANGE_TLS_DIR = tmp_path
    process = receiver(RECEIVER_CERTIFICATE=server_file, RECEIVER_AUTHORITY=str(ca))
    known = make_peer(
        port=process.port, uses_tls=True, ca_certificate=authority.pem, server_name=HOST,
        client_identity="ours.pem",
    )  # fmt: skip
    assert _send(known).state == OutboundState.ACCEPTED
    unknown = make_peer(
        name="without", port=process.port, uses_tls=True, ca_certificate=authority.pem,
        server_name=HOST,
    )  # fmt: skip
    assert _send(unknown).state == OutboundState.QUEUED
    assert len(process.seen()) == 1


def test_a_missing_certificate_of_ours_is_told(
    make_peer: MakePeer, report: Report, settings: Settings, tmp_path: Path
) -> None:
    settings.EXCHANGE_TLS_DIR = tmp_path
    message = _send(make_peer(uses_tls=True, client_identity="absent.pem"))
    assert message.events.get().detail.startswith("The certificates for TLS can't be read")
