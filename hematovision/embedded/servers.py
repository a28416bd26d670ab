"""Both embedded servers together, for the supervisor, the tests and the command line."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from hematovision.embedded.postgres import PostgresServer
from hematovision.embedded.redis import RedisServer
from hematovision.embedded.runtime import EmbeddedError

LARGEST_LOG = 10 * 1024 * 1024


class EmbeddedServers:
    """The servers of one var folder.

    They stop with ``stop()``, or when the process that started them dies, unless they were asked
    to outlive it. A server that already runs in the folder is used, and then left running.
    """

    def __init__(self, var: Path, *, durable: bool = True, outlive: bool = False):
        self.var = var.resolve()
        logs = self.var / "log"
        self.postgres = PostgresServer(
            self.var / "postgres", log=logs / "postgres.log", durable=durable, outlive=outlive
        )
        self.redis = RedisServer(self.var / "redis", log=logs / "redis.log", outlive=outlive)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that lead the application to these servers."""
        return {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url}

    def start(self) -> None:
        """Start what does not run yet, and wait until both answer."""
        with self._one_at_a_time():
            for log in (self.postgres.log, self.redis.log):
                _rotate(log)
            self.postgres.start()
            self.redis.start()

    def stop(self) -> None:
        """Stop the servers this object started."""
        if self.redis.process is not None:
            self.redis.stop()
        if self.postgres.process is not None:
            self.postgres.stop()

    def stop_all(self) -> None:
        """Stop the folder's servers, whoever started them."""
        self.redis.stop()
        self.postgres.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        try:
            self.var.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.var / "embedded.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise EmbeddedError(f"The folder {self.var} cannot be used: {error}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.rename(log.with_suffix(".log.1"))
