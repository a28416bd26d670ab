"""`make run`'s supervisor: it starts the site, keeps it up, stops it, and says what is wrong."""

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from hematovision.embedded.redis import RedisServer
from tests.ops.conftest import awkward_folder, copy, wait_until

pytestmark = pytest.mark.processes

Launch = Callable[..., subprocess.Popen[str]]
SUPERVISOR = "hematovision.supervisor"


@pytest.fixture
def var(prepared_var: Path) -> Iterator[Path]:
    """Return a var folder in which the site can start without delay."""
    with awkward_folder() as folder:
        copy(prepared_var, folder / "var")
        yield folder / "var"


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return answer.status == http.HTTPStatus.OK
    except OSError:
        return False


def children(supervisor: subprocess.Popen[str], word: str) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(supervisor.pid).children():
        with contextlib.suppress(psutil.Error):
            found += [child] if any(word in part for part in child.cmdline()) else []
    return found


def is_replaced(supervisor: subprocess.Popen[str], word: str, dead: psutil.Process) -> bool:
    return any(child != dead for child in children(supervisor, word))


def fails(launch: Launch, *arguments: str, **variables: str) -> str:
    """Run the supervisor to its end, which must be status 1 and no traceback."""
    process = launch(SUPERVISOR, "--no-demo", *arguments, **variables)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" not in output
    return output


def test_keeps_the_site_up_and_stops_it_without_a_trace(
    launch: Launch, free_port: int, var: Path
) -> None:
    supervisor = launch(SUPERVISOR, "--no-demo", "--port", str(free_port))
    wait_until(lambda: is_ready(free_port))
    family = psutil.Process(supervisor.pid).children(recursive=True)

    for word in ("gunicorn", "beat", "inference@%h", "default@%h"):
        (child,) = children(supervisor, word)
        child.kill()
        wait_until(partial(is_replaced, supervisor, word, child))
    wait_until(lambda: is_ready(free_port))

    (broker,) = children(supervisor, "redis-server")
    broker.kill()
    wait_until(RedisServer(var / "redis", log=var / "log").is_running)
    wait_until(lambda: is_ready(free_port))

    family += psutil.Process(supervisor.pid).children(recursive=True)
    supervisor.send_signal(signal.SIGTERM)
    output, _ = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 0
    assert f"HematoVision answers at http://127.0.0.1:{free_port}" in output
    assert "Redis had stopped and was started again" in output
    assert not [process for process in family if process.is_running()]
    assert not (var / "postgres" / "postmaster.pid").exists()
    assert "database system is shut down" in (var / "log" / "postgres.log").read_text()


def test_ctrl_c_while_it_starts_stops_it(launch: Launch, free_port: int, var: Path) -> None:
    supervisor = launch(SUPERVISOR, "--no-demo", "--port", str(free_port))
    wait_until(lambda: children(supervisor, "prepare"))
    supervisor.send_signal(signal.SIGINT)
    output, _ = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 0
    assert "Traceback" not in output
    assert not (var / "postgres" / "postmaster.pid").exists()


def test_nothing_is_left_when_the_supervisor_is_killed(
    launch: Launch, free_port: int, var: Path
) -> None:
    supervisor = launch(SUPERVISOR, "--no-demo", "--port", str(free_port))
    wait_until(lambda: is_ready(free_port))
    family = psutil.Process(supervisor.pid).children(recursive=True)
    supervisor.kill()
    wait_until(lambda: not [process for process in family if process.is_running()])


def test_names_a_free_port_when_its_own_is_taken(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        output = fails(launch, "--port", str(port))
    assert f"Port {port} on 127.0.0.1 cannot be used" in output
    assert re.search(r"make run PORT=\d+", output)


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_says_what_a_port_is(launch: Launch, port: str) -> None:
    assert "PORT must be a number from 1 to 65535" in fails(launch, "--port", port)


def test_refuses_a_host_that_is_not_this_machine(launch: Launch, free_port: int) -> None:
    assert "cannot be used" in fails(launch, "--port", str(free_port), "--host", "192.0.2.1")


@pytest.mark.parametrize(
    ("name", "url", "sentence"),
    [
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/none", "127.0.0.1:1 (DATABASE_URL)"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:1/0", "127.0.0.1 (REDIS_URL)"),
    ],
)
def test_says_which_server_cannot_be_reached(
    launch: Launch, free_port: int, name: str, url: str, sentence: str
) -> None:
    output = fails(launch, "--port", str(free_port), **{name: url})
    assert sentence in output
    assert "secret" not in output


def test_refuses_a_second_site_on_the_same_data(
    launch: Launch, free_port: int, var: Path, environment: dict[str, str]
) -> None:
    first = launch(SUPERVISOR, "--no-demo", "--port", str(free_port))
    lock = var / "run.lock"
    wait_until(lambda: lock.exists() and lock.read_text() == str(first.pid))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        another_port = probe.getsockname()[1]
    assert f"already runs on the data in {var} (process {first.pid})" in fails(
        launch, "--port", str(another_port)
    )
