"""The embedded PostgreSQL and Redis: start, stop, and survive what happens to servers."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
import redis

from hematovision.embedded import EmbeddedError, EmbeddedServers
from hematovision.embedded.postgres import PostgresServer
from hematovision.embedded.redis import RedisServer
from tests.ops.conftest import wait_until

pytestmark = pytest.mark.processes


@contextmanager
def running(var: Path) -> Iterator[EmbeddedServers]:
    with EmbeddedServers(var) as servers:
        yield servers


def ask(servers: EmbeddedServers, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(servers.environment["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def postmaster(servers: EmbeddedServers) -> int:
    server = servers.servers["DATABASE_URL"]
    assert isinstance(server, PostgresServer)
    pid = server.running_pid()
    assert pid is not None
    return pid


def test_keeps_data_between_starts(var: Path) -> None:
    with running(var) as servers:
        ask(servers, "CREATE TABLE kept AS SELECT 42 AS answer")
    with running(var) as servers:
        assert ask(servers, "SELECT answer FROM kept") == [(42,)]


def test_database_is_durable_and_its_role_no_superuser(var: Path) -> None:
    with running(var) as servers:
        assert ask(servers, "SHOW fsync") == [("on",)]
        assert ask(servers, "SHOW data_checksums") == [("on",)]
        assert ask(servers, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [
            (False,)
        ]


def test_redis_asks_for_its_password(var: Path) -> None:
    with running(var) as servers:
        url = servers.environment["REDIS_URL"]
        with redis.Redis.from_url(url) as client:
            assert client.ping()
        address = url.rpartition("@")[2]
        with (
            redis.Redis.from_url(f"redis://{address}") as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()


def test_recovers_from_a_crash(var: Path) -> None:
    with running(var) as servers:
        ask(servers, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(postmaster(servers), signal.SIGKILL)
        wait_until(servers.servers["DATABASE_URL"].has_died)
        assert servers.revive() == ["PostgreSQL"]
        assert ask(servers, "SELECT answer FROM kept") == [(42,)]


def test_redis_returns_to_its_address_after_a_crash(var: Path) -> None:
    with running(var) as servers:
        server = servers.servers["REDIS_URL"]
        address = server.url
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        assert servers.revive() == ["Redis"]
        assert isinstance(server, RedisServer)
        assert server.is_running()
        assert server.url == address


def test_a_pid_file_naming_another_process_does_not_matter(var: Path) -> None:
    with running(var):
        pass
    (var / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n/elsewhere\n")
    with running(var) as servers:
        assert ask(servers, "SELECT 1") == [(1,)]


def test_two_checkouts_run_side_by_side(var: Path) -> None:
    with running(var) as one, running(var.with_name("another var")) as two:
        ask(one, "CREATE TABLE only_here ()")
        assert ask(two, "SELECT to_regclass('only_here')") == [(None,)]
        assert one.environment["REDIS_URL"] != two.environment["REDIS_URL"]


def test_joins_servers_that_run_and_leaves_them_running(var: Path) -> None:
    with running(var) as owner:
        with running(var) as guest:
            assert guest.environment == owner.environment
        assert ask(owner, "SELECT 1") == [(1,)]


def test_servers_end_with_the_process_that_started_them(
    var: Path, launch: Callable[..., subprocess.Popen[str]]
) -> None:
    starter = launch("hematovision.embedded", "run", "--", "sleep", "1000")
    pid_file = var / "postgres" / "postmaster.pid"
    wait_until(lambda: pid_file.exists() and "ready" in pid_file.read_text())
    url_file = var / "redis" / "url"
    wait_until(url_file.exists)
    starter.kill()
    wait_until(lambda: not pid_file.exists())
    wait_until(lambda: not RedisServer(var / "redis", log=var / "log").is_running())
    with running(var) as servers:
        assert ask(servers, "SELECT 1") == [(1,)]


def test_only_missing_servers_are_started(var: Path) -> None:
    servers = EmbeddedServers(var, given={"DATABASE_URL": "postgresql://elsewhere/db"})
    assert list(servers.environment) == ["REDIS_URL"]


def test_says_when_the_folder_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where a folder should be")
    with pytest.raises(EmbeddedError, match="cannot be used"):
        EmbeddedServers(tmp_path / "var").start()


def test_refuses_data_of_another_major_version(var: Path) -> None:
    with running(var):
        pass
    (var / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match="written by PostgreSQL 15"):
        EmbeddedServers(var).start()
