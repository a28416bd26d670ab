"""MLLP: how an HL7 v2 message is framed on a connection, and the sender's end of one.

A frame is 0x0B, the message, 0x1C 0x0D. MLLP has no security of its own; TLS gives it.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c\r"
LONGEST_ANSWER: Final = 64 * 1024
CONNECT_SECONDS: Final = 10.0
# How often a wait for an answer looks whether the process is to stop.
WAKE_SECONDS: Final = 0.5


class NotReached(Exception):
    """No connection could be made: nothing was sent."""


class NoAnswer(Exception):
    """The message may have arrived, but no whole answer came back."""


class GarbledAnswer(Exception):
    """Something came back that is no frame."""

    def __init__(self, text: str, data: bytes) -> None:
        super().__init__(text)
        self.data = data


class Stopping(Exception):
    """The process is to stop; what was sent may have arrived."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a receiver listens; without ``tls`` the connection is in the clear."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str = ""


def tls_context(*, ca_certificate: str, identity: Path | None) -> ssl.SSLContext:
    """Return a context that verifies the receiver's certificate and name, from TLS 1.2 on.

    ``ca_certificate`` (PEM) replaces the system's authorities; ``identity`` is a file with our
    certificate and key, where the receiver wants to know who we are.

    Raises:
        NotReached: certificate or key can't be read.
    """
    try:
        context = ssl.create_default_context(cadata=ca_certificate or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if identity is not None:
            context.load_cert_chain(identity)
    except (OSError, ValueError) as error:
        raise NotReached(f"The certificates for TLS can't be read: {_reason(error)}.") from error
    return context


@contextmanager
def open_connection(address: Address) -> Iterator["Connection"]:
    """Connect, and close in the end.

    Raises:
        NotReached: nobody listens, or TLS fails (a wrong certificate or name among others).
    """
    try:
        plain = socket.create_connection((address.host, address.port), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise NotReached(f"No connection: {_reason(error)}.") from error
    with plain:
        if address.tls is None:
            yield Connection(plain)
            return
        try:
            name = address.server_name or address.host
            secured = address.tls.wrap_socket(plain, server_hostname=name)
        except OSError as error:
            raise NotReached(f"TLS failed: {_reason(error)}.") from error
        with secured:
            yield Connection(secured)


class Connection:
    """One connection to a receiver: messages go out, answers come back, each in a frame."""

    def __init__(
        self, connected: socket.socket, *, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._socket = connected
        self._received = b""
        self.is_stopping = is_stopping

    def send(self, body: bytes, *, seconds: float) -> None:
        """Send one message.

        Raises:
            NoAnswer: the connection broke; how much arrived isn't known.
        """
        if START in body or END in body:
            raise ValueError("A message can't hold the marks of its own frame.")
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(START + body + END)
        except OSError as error:
            raise NoAnswer(f"The connection broke while sending: {_reason(error)}.") from error

    def receive(self, *, deadline: float) -> bytes:
        """Return the next framed answer; ``deadline`` is in seconds of the monotonic clock.

        Raises:
            NoAnswer: the time is over, or the connection ended first.
            GarbledAnswer: what came is no frame, or none that ends.
            Stopping: the process is to stop.
        """
        while END not in self._received:
            if len(self._received) > LONGEST_ANSWER:
                raise GarbledAnswer("The answer is too long.", self._received)
            self._received += self._read(deadline)
        frame, _, self._received = self._received.partition(END)
        noise, start, body = frame.partition(START)
        if not start or noise.strip():
            raise GarbledAnswer("The answer doesn't begin as a frame.", frame)
        return body

    def _read(self, deadline: float) -> bytes:
        while (left := deadline - time.monotonic()) > 0:
            if self.is_stopping():
                raise Stopping
            self._socket.settimeout(min(left, WAKE_SECONDS))
            try:
                data = self._socket.recv(4096)
            except TimeoutError:
                continue
            except OSError as error:
                raise NoAnswer(f"The connection broke: {_reason(error)}.") from error
            if not data:
                raise self._ended()
            return data
        raise NoAnswer("No answer in time.")

    def _ended(self) -> Exception:
        if self._received.strip():
            return GarbledAnswer("The connection ended within the answer.", self._received)
        return NoAnswer("The receiver closed the connection without an answer.")


def _reason(error: Exception) -> str:
    """Return what the system says of an error, without addresses."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
