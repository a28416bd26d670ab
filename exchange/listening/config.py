"""Where and how the listener listens."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from exchange.services.receiving import LARGEST_MESSAGE


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of the listener's own certificate, and of the authority of clients' certificates."""

    certificate: Path
    key: Path
    client_authority: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return a server's context; certificates of clients are checked where they show one."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        if self.client_authority:
            context.load_verify_locations(self.client_authority)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


@dataclass(frozen=True, slots=True)
class Limits:
    """What one listener takes: bytes a message, seconds of silence, connections, seconds to end."""

    largest_message: int = LARGEST_MESSAGE
    idle_seconds: float = 600
    frame_seconds: float = 30
    connections: int = 50
    drain_seconds: float = 20
    answer_seconds: float = 15
    """How long an analyser may take over a call or a frame of ours (LIS1-A, 6.5.2.1)."""
    busy_seconds: float = 10
    """How long to leave an analyser alone that is busy (LIS1-A, 6.2.2)."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port to listen at; 0 lets the system choose one."""

    host: str
    number: int
    tls: Tls | None = None
