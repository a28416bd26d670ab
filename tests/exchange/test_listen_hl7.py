"""The listener for HL7, met by clients of another library."""

import asyncio
import datetime
import ipaddress
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hl7
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from hl7.client import MLLPClient
from hl7.mllp import open_hl7_connection

from classifier.models import Case
from exchange.enums import IncomingOutcome, Protocol
from exchange.frames import wrap
from exchange.listening import answering
from exchange.listening.config import Limits, Tls
from exchange.listening.hl7 import converse
from exchange.models import IncomingMessage, Sender
from exchange.services.receiving import LARGEST_MESSAGE
from tests.exchange.listening import (
    Running,
    connect,
    is_closed,
    read_until,
    start_process,
    wait_for_line,
)
from tests.exchange.messages import oml

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hospital")]

SMALL = Limits(largest_message=4000, idle_seconds=20, frame_seconds=20, connections=2)


@pytest.fixture
def listener() -> Iterator[Running]:
    with Running(Protocol.HL7, converse, SMALL) as running:
        yield running


def codes(data: bytes) -> list[str]:
    """Return MSA-1 of each framed reply."""
    frames = [part.strip(b"\r\x0b") for part in data.split(b"\x1c")]
    return [str(hl7.parse(part.decode())["MSA"][0][1]) for part in frames if part]


def test_answers_a_blocking_client(listener: Running) -> None:
    with MLLPClient("127.0.0.1", listener.port) as client:
        for placer in ("ORD1", "ORD2"):
            assert codes(client.send_message(oml(placer=placer, control_id=placer))) == ["AA"]
    assert Case.objects.count() == 2


def test_answers_an_asynchronous_client(listener: Running) -> None:
    async def talk() -> Any:
        reader, writer = await open_hl7_connection("127.0.0.1", listener.port)
        writer.writemessage(hl7.parse(oml().decode()))
        await writer.drain()
        answer = await reader.readmessage()
        writer.close()
        await writer.wait_closed()
        return answer

    assert str(asyncio.run(talk())["MSA"][0][1]) == "AA"


def test_takes_a_message_in_pieces_and_several_at_once(listener: Running) -> None:
    with connect(listener.port) as stream:
        data = wrap(oml())
        for at in range(0, len(data), 97):
            stream.sendall(data[at : at + 97])
        assert codes(read_until(stream, b"\x1c\r")) == ["AA"]
        stream.sendall(wrap(oml(control_id="2")) + b"\r\n" + wrap(b"MSH|^~\\&|ORDERS|GENHOSP"))
        answers = read_until(stream, b"\x1c\r")
        while answers.count(b"\x1c\r") < 2:
            answers += read_until(stream, b"\x1c\r")
        assert codes(answers) == ["AA", "AR"]


def test_drops_rubbish_and_goes_on(listener: Running, caplog: pytest.LogCaptureFixture) -> None:
    with connect(listener.port) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n\x0bMSH|^~\\&|PID|Doe" + wrap(oml()))
        assert codes(read_until(stream, b"\x1c\r")) == ["AA"]
    assert IncomingMessage.objects.count() == 1
    assert "Dropped" in caplog.text
    assert "Doe" not in caplog.text


def test_rejects_what_is_too_large_and_goes_on(listener: Running) -> None:
    with connect(listener.port) as stream:
        stream.sendall(wrap(oml(clinical="x" * 9000)))
        assert codes(read_until(stream, b"\x1c\r")) == ["AR"]
        stream.sendall(wrap(oml()))
        assert codes(read_until(stream, b"\x1c\r")) == ["AA"]
    row = IncomingMessage.objects.get(outcome=IncomingOutcome.REFUSED)
    assert (bytes(row.raw), row.size > 9000) == (b"", True)


def test_leaves_a_sender_that_never_ends(listener: Running) -> None:
    with connect(listener.port) as stream:
        try:
            stream.sendall(b"\x0bMSH" + b"x" * 16 * SMALL.largest_message)
        except ConnectionError:
            return
        assert is_closed(stream)


def test_a_truncated_message_leaves_nothing(listener: Running) -> None:
    with connect(listener.port) as stream:
        stream.sendall(wrap(oml())[:-20])
        stream.shutdown(socket.SHUT_WR)
        assert is_closed(stream)
    assert not IncomingMessage.objects.exists()


def test_closes_silent_connections() -> None:
    limits = Limits(idle_seconds=0.05, frame_seconds=0.05)
    with Running(Protocol.HL7, converse, limits) as listener:
        for beginning in (b"", b"\x0bMSH|"):
            with connect(listener.port) as stream:
                stream.sendall(beginning)
                assert is_closed(stream)


def test_takes_so_many_connections_and_no_more(listener: Running) -> None:
    streams = [connect(listener.port) for _ in range(2)]
    for number, stream in enumerate(streams):
        stream.sendall(wrap(oml(placer=f"P{number}", control_id=str(number))))
        assert codes(read_until(stream, b"\x1c\r")) == ["AA"]
    with connect(listener.port) as third:
        assert is_closed(third)
    for stream in streams:
        stream.close()


@pytest.mark.parametrize(
    "changes", [{"networks": "10.0.0.0/8"}, {"is_active": False}, {"certificate_name": "emr"}]
)
def test_closes_connections_of_strangers(
    hospital: Sender, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    Sender.objects.filter(pk=hospital.pk).update(**changes)
    with Running(Protocol.HL7, converse, SMALL) as listener, connect(listener.port) as stream:
        assert is_closed(stream)
    assert "not known" in caplog.text


def test_a_sender_switched_off_while_connected_is_rejected(
    listener: Running, hospital: Sender
) -> None:
    with MLLPClient("127.0.0.1", listener.port) as client:
        assert codes(client.send_message(oml())) == ["AA"]
        Sender.objects.update(is_active=False)
        assert codes(client.send_message(oml(control_id="2", placer="P2"))) == ["AR"]


def test_a_database_that_is_away_asks_to_send_again(
    listener: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def away(_arrival: object) -> None:
        raise OperationalError("connection refused")

    receive = answering.receive_hl7
    with MLLPClient("127.0.0.1", listener.port) as client:
        monkeypatch.setattr(answering, "receive_hl7", away)
        answer = client.send_message(oml())
        assert codes(answer) == ["AR"]
        assert b"send the same message again" in answer
        monkeypatch.setattr(answering, "receive_hl7", receive)
        assert codes(client.send_message(oml())) == ["AA"]


def test_a_fault_is_answered_and_its_text_kept_out_of_the_log(
    listener: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(_arrival: object) -> None:
        raise ZeroDivisionError("Jane Doe")

    monkeypatch.setattr(answering, "receive_hl7", faulty)
    with MLLPClient("127.0.0.1", listener.port) as client:
        assert codes(client.send_message(oml())) == ["AR"]
    assert "ZeroDivisionError" in caplog.text
    assert "Doe" not in caplog.text


def test_speaks_tls_and_knows_senders_by_their_certificate(
    tmp_path: Path, hospital: Sender
) -> None:
    authority, key = issue(tmp_path, "authority")
    server, server_key = issue(tmp_path, "server", authority, key)
    client, client_key = issue(tmp_path, "emr", authority, key)
    Sender.objects.update(certificate_name="emr")
    tls = Tls(server, server_key, authority)
    with Running(Protocol.HL7, converse, SMALL, tls) as listener:
        for shows, answers in ((True, ["AA"]), (False, [])):
            context = ssl.create_default_context(cafile=str(authority))
            if shows:
                context.load_cert_chain(client, client_key)
            with context.wrap_socket(connect(listener.port), server_hostname="127.0.0.1") as stream:
                stream.sendall(wrap(oml()))
                assert codes(read_until(stream, b"\x1c\r")) == answers


def test_a_stop_finishes_the_answer_that_is_being_made(
    hospital: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    begun, go_on = threading.Event(), threading.Event()
    receive = answering.receive_hl7

    def slow(arrival: Any) -> tuple[bytes, ...]:
        begun.set()
        assert go_on.wait(20)
        return receive(arrival)

    monkeypatch.setattr(answering, "receive_hl7", slow)
    with (
        Running(Protocol.HL7, converse, SMALL) as listener,
        connect(listener.port) as stream,
        connect(listener.port) as idle,
    ):
        stream.sendall(wrap(oml()))
        assert begun.wait(20)
        stopping = threading.Thread(target=listener.stop)
        stopping.start()
        assert is_closed(idle)
        go_on.set()
        assert codes(read_until(stream, b"\x1c\r")) == ["AA"]
        assert is_closed(stream)
        stopping.join()
    assert Case.objects.count() == 1


def test_the_command_needs_a_port() -> None:
    with pytest.raises(CommandError, match="LISTEN_HL7_PORT"):
        call_command("listen")


def test_the_largest_message_has_room_for_any_order() -> None:
    assert 100 * len(oml()) <= LARGEST_MESSAGE


@pytest.mark.processes
def test_killed_between_commit_and_answer_the_same_message_gets_its_answer(
    tmp_path: Path,
) -> None:
    port = free_port()
    deadly = start_process("tests.exchange.deadly_listener", tmp_path, LISTEN_HL7_PORT=str(port))
    wait_for_line(deadly, lambda line: "Listening" in line)
    with connect(port) as stream:
        stream.sendall(wrap(oml()))
        assert is_closed(stream)
    assert deadly.wait(20) == -signal.SIGKILL
    committed = bytes(IncomingMessage.objects.get().replies[0])

    alive = start_process("manage listen", tmp_path, LISTEN_HL7_PORT=str(port))
    try:
        wait_for_line(alive, lambda line: "Listening" in line)
        with MLLPClient("127.0.0.1", port) as client:
            assert client.send_message(oml()) == wrap(committed)
            alive.send_signal(signal.SIGTERM)
            assert alive.wait(20) == 0
    finally:
        alive.kill()
        alive.communicate()
        deadly.communicate()
    assert (Case.objects.count(), IncomingMessage.objects.count()) == (1, 1)


def free_port() -> int:
    with socket.socket() as stream:
        stream.bind(("127.0.0.1", 0))
        number: int = stream.getsockname()[1]
    return number


def issue(
    folder: Path, name: str, authority: Path | None = None, authority_key: Path | None = None
) -> tuple[Path, Path]:
    """Write a certificate and its key, signed by an authority or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer, signing = subject, key
    if authority and authority_key:
        issuer = x509.load_pem_x509_certificate(authority.read_bytes()).subject
        signing = serialization.load_pem_private_key(authority_key.read_bytes(), None)  # type: ignore[assignment]
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
