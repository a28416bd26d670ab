"""A site's background processes under a test's control: broker, workers, scheduler."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import redis

from hematovision.embedded.redis import RedisServer

START_SECONDS = 90


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 90) -> float:
    """Wait until ``holds``, and return how long that took; fail after ``seconds``."""
    started = time.monotonic()
    while not holds():
        waited = time.monotonic() - started
        assert waited < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - started


class Broker:
    """A Redis of the test's own, which keeps its address over restarts but nothing else."""

    def __init__(self, folder: Path) -> None:
        self.server = RedisServer(folder / "redis", log=folder / "redis.log")
        self.server.start()
        self.url = self.server.url

    def kill(self) -> None:
        """End it as a crash would."""
        assert self.server.process is not None
        self.server.process.kill()
        self.server.process.wait()

    def start(self) -> None:
        self.server.start()
        assert self.server.url == self.url

    def stop(self) -> None:
        self.server.stop()

    def flush(self) -> None:
        """Lose everything it holds."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def messages(self) -> int:
        """Return how many hints wait for an inference worker."""
        with redis.Redis.from_url(self.url) as client:
            return int(client.llen("inference"))

    def is_awaited(self) -> bool:
        """Whether a worker is blocked in a read, and so would get the next message."""
        with redis.Redis.from_url(self.url) as client:
            return any("b" in reader["flags"] for reader in client.client_list())


class Worker:
    """A Celery worker in a process group of its own, as the supervisor starts them."""

    def __init__(
        self, name: str, *options: str, environment: Mapping[str, str], folder: Path
    ) -> None:
        self.address = f"{name}@test"
        self.log = folder / f"{name}.log"
        command = [sys.executable, "-m", "celery", "--app", "hematovision", "--quiet", "worker"]
        command += ["--without-mingle", "--without-gossip", "-n", self.address, *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def said(self, text: str) -> int:
        """Return how often the log holds ``text``."""
        return self.log.read_text().count(text)

    def children(self) -> list[int]:
        """Return the processes of the pool, in which models are loaded."""
        pid = self.process.pid
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill_all(self) -> None:
        """End the worker and its pool at once, with no chance to tidy up."""
        if self.is_alive:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
