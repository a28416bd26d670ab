"""The embedded servers of one var folder, for the supervisor, the tests and the command line."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from hematovision.embedded.postgres import PostgresServer
from hematovision.embedded.redis import RedisServer
from hematovision.embedded.runtime import EmbeddedError

LARGEST_LOG = 10 * 1024 * 1024


class EmbeddedServers:
    """PostgreSQL and Redis under ``var``, except where ``given`` names another server's URL.

    They stop with ``stop()``, or when the process that started them dies, unless they were asked
    to outlive it. A server that already runs in the folder is used, and then left running.
    """

    def __init__(
        self,
        var: Path,
        *,
        given: Mapping[str, str] | None = None,
        durable: bool = True,
        outlive: bool = False,
    ):
        self.var = var.resolve()
        logs = self.var / "log"
        everything: dict[str, PostgresServer | RedisServer] = {
            "DATABASE_URL": PostgresServer(
                self.var / "postgres", log=logs / "postgres.log", durable=durable, outlive=outlive
            ),
            "REDIS_URL": RedisServer(self.var / "redis", log=logs / "redis.log", outlive=outlive),
        }
        given = given or {}
        self.servers = {name: one for name, one in everything.items() if not given.get(name)}

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that lead the application to these servers."""
        return {name: server.url for name, server in self.servers.items()}

    def start(self) -> None:
        """Start what does not run yet, and wait until it answers."""
        with self._one_at_a_time():
            for server in self.servers.values():
                _rotate(server.log)
                server.start()

    def revive(self) -> list[str]:
        """Start again what died since it was started; return the names of those servers."""
        fallen = [one for one in self.servers.values() if one.has_died()]
        for server in fallen:
            server.start()
        return [server.name for server in fallen]

    def stop(self) -> None:
        """Stop the servers this object started."""
        for server in reversed(self.servers.values()):
            if server.process is not None:
                server.stop()

    def stop_all(self) -> None:
        """Stop the folder's servers, whoever started them."""
        for server in reversed(self.servers.values()):
            server.stop()

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
