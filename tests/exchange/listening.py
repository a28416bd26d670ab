"""A listener under a test's control: in a thread of the test, or as a process of its own."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from django.db import connection

from exchange.enums import Protocol
from exchange.listening.config import Limits, Port, Tls
from exchange.listening.listener import Conversation, Listener

SECONDS = 20


class Running:
    """A listener in a thread; `with` it, and connect to `port`."""

    def __init__(
        self,
        protocol: Protocol,
        conversation: Conversation,
        limits: Limits | None = None,
        tls: Tls | None = None,
    ) -> None:
        port = Port("127.0.0.1", 0, tls)
        self.listener = Listener(port, protocol, conversation, limits or Limits())
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.port = 0

    def __enter__(self) -> "Running":
        self.thread.start()
        self.port = self._run(self.listener.start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def stop(self) -> None:
        self._run(self.listener.stop())

    def _run(self, work):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(SECONDS)


def connect(port: int) -> socket.socket:
    """Return a connection whose reads fail after a while."""
    return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def read_until(stream: socket.socket, ending: bytes) -> bytes:
    """Return what comes until `ending`, or until the other side closes."""
    found = b""
    while not found.endswith(ending):
        data = stream.recv(65536)
        if not data:
            break
        found += data
    return found


def is_closed(stream: socket.socket) -> bool:
    """Wait for the end of a connection; say whether nothing came before it."""
    try:
        return stream.recv(65536) == b""
    except ConnectionResetError:
        return True


def start_process(module: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a Python module with the settings of the test run's database."""
    database = urlsplit(os.environ["DATABASE_URL"])
    path = f"/{connection.settings_dict['NAME']}"
    variables = os.environ | {
        "DATABASE_URL": database._replace(path=path).geturl(),
        "DJANGO_SETTINGS_MODULE": "hematovision.settings",
        "HEMATOVISION_VAR": str(folder),
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", *module.split()],
        env=variables | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for_line(process: subprocess.Popen[str], holds: Callable[[str], bool]) -> str:
    """Return the first line of a process' output that fits."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if holds(line):
            return line
    raise AssertionError("".join(seen))
