"""The containers' commands against servers over TCP, as in docker-compose.yml, without Docker."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg2
import pytest
import redis

from hematovision.embedded import runtime
from tests.ops.composition import ROOT, own_services
from tests.ops.conftest import awkward_folder, wait_until

pytestmark = pytest.mark.processes

PASSWORD = "only-for-this-test"


def server_programs() -> tuple[Path, Path] | None:
    """Return the system's own postgres and redis-server, if both are installed."""
    clusters = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    broker = shutil.which("redis-server")
    return (clusters[-1], Path(broker)) if clusters and broker else None


@pytest.fixture
def tcp_environment(free_port: int) -> Iterator[dict[str, str]]:
    """Start the system's PostgreSQL and Redis on TCP; return a container's environment."""
    programs = server_programs()
    if programs is None:
        pytest.skip("the system has no PostgreSQL and Redis servers of its own")
    with ExitStack() as stack:
        folder = stack.enter_context(awkward_folder())
        database_url = stack.enter_context(Postgres(programs[0], folder, free_port))
        redis_url = stack.enter_context(Redis(programs[1], folder))
        yield {
            "PATH": os.environ["PATH"],
            "HEMATOVISION_VAR": str(folder / "var"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": "a long secret of this test alone, as good as any other one here",
            "SITE_URL": "https://hematovision.example.org",
            "LOG_FORMAT": "json",
        }


class Postgres:
    """The system's PostgreSQL in ``folder``, with passwords as the image's entry point sets up."""

    def __init__(self, program: Path, folder: Path, port: int):
        self.program, self.folder, self.port = program, folder, port
        self.owner = runtime.service_account()
        root = os.geteuid() == 0
        self.user = self.owner.pw_uid if root else None
        self.group = self.owner.pw_gid if root else None

    def __enter__(self) -> str:
        data = self.folder / "cluster"
        runtime.make_private(data, self.owner)
        runtime.open_the_way(data, self.owner)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        subprocess.run(
            [
                str(self.program.with_name("initdb")), f"--pgdata={data}", "--username=postgres",
                "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8",
            ],
            cwd="/", check=True, capture_output=True, user=self.user, group=self.group,
        )  # fmt: skip
        self.process = subprocess.Popen(
            [
                str(self.program), "-D", str(data), "-p", str(self.port), "-c", "fsync=off",
                "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            ],
            cwd="/", stderr=subprocess.DEVNULL, user=self.user, group=self.group,
        )  # fmt: skip
        wait_until(self.answers)
        self.create_database()
        return f"postgresql://hematovision:{PASSWORD}@127.0.0.1:{self.port}/hematovision"

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def connect(self) -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host="127.0.0.1", port=self.port, user="postgres", password=PASSWORD, dbname="postgres"
        )

    def create_database(self) -> None:
        """Run the statements of the script that the database's container runs."""
        script = (ROOT / "deploy" / "create-database.sh").read_text()
        statements = script.partition("<<'SQL'\n")[2].partition("SQL\n")[0]
        connection = self.connect()
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements.replace(":'password'", f"'{PASSWORD}'").split(";"):
                if statement.strip():
                    cursor.execute(statement)
        connection.close()

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(2)
        self.process.wait(60)


class Redis:
    """The system's Redis with the arguments of its container."""

    def __init__(self, program: Path, folder: Path):
        self.program, self.folder = program, folder

    def __enter__(self) -> str:
        port = 26379
        self.process = subprocess.Popen(
            [
                self.program, "--requirepass", PASSWORD, "--save", "", "--appendonly", "no",
                "--port", str(port), "--bind", "127.0.0.1",
            ],
            cwd=self.folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
        wait_until(self.answers)
        return self.url

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)


def test_the_containers_commands_serve_a_site(
    tcp_environment: dict[str, str], tmp_path: Path
) -> None:
    port = 28000
    commands = {
        name: [sys.executable, *(place(part, port, tmp_path) for part in service["command"][1:])]
        for name, service in own_services().items()
        if "profiles" not in service  # the listener starts only where it is asked for
    }
    subprocess.run(commands.pop("prepare"), cwd=ROOT, env=tcp_environment, check=True)
    processes = {}
    log = tmp_path / "log"
    with log.open("w") as output:
        for name, command in commands.items():
            processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=tcp_environment, stdout=output, stderr=output
            )
        try:
            wait_until(lambda: answers_as_the_proxy_asks(port))
            wait_until(lambda: pong(tcp_environment, workers=2), seconds=120)
            assert {name: one.poll() for name, one in processes.items()} == dict.fromkeys(processes)
        finally:
            for process in processes.values():
                process.terminate()
            ends = {name: process.wait(60) for name, process in processes.items()}
    assert ends == dict.fromkeys(commands, 0), log.read_text()


def place(part: str, port: int, folder: Path) -> str:
    """Return a container's argument with its address and its folder replaced by the test's."""
    return part.replace("0.0.0.0:8000", f"127.0.0.1:{port}").replace("/tmp/", f"{folder}/")


def answers_as_the_proxy_asks(port: int) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/account/login/",
        headers={"Host": "hematovision.example.org", "X-Forwarded-Proto": "https"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            secure = "Strict-Transport-Security" in answer.headers
            return secure and b"<form" in answer.read()
    except OSError:
        return False


def pong(environment: dict[str, str], *, workers: int) -> bool:
    """Whether as many workers answer the question that the containers' health checks ask."""
    ping = subprocess.run(
        [sys.executable, "-m", "celery", "--app", "hematovision", "inspect", "ping"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ping.stdout.count("pong") == workers
