"""What is asked to stop finishes what it has begun, and takes up nothing new."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from classifier.enums import CaseStatus, RunStatus
from tests.faults.conftest import BATCH_SIZE, Laboratory
from tests.faults.site import START_SECONDS, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def test_a_worker_ends_its_batch_and_leaves_the_rest(
    laboratory: Laboratory, show: Callable[[str], None]
) -> None:
    case = laboratory.submit(laboratory.register(images=200))
    first = laboratory.start_worker("first")
    laboratory.wait_for_the_middle(case)
    os.kill(first.process.pid, signal.SIGTERM)
    assert first.process.wait(timeout=60) == 0
    done = laboratory.count(case, RunStatus.SUCCEEDED)
    assert done % BATCH_SIZE == 0
    assert laboratory.count(case, RunStatus.RUNNING) == 0
    assert done + laboratory.count(case, RunStatus.QUEUED) == 200
    laboratory.start_scheduler()
    laboratory.start_worker("second")
    laboratory.wait_for(case, CaseStatus.AWAITING_REVIEW)
    said = laboratory.check_exactly_once(case)
    assert "{1: 200}" in said
    show(f"stopped with {done} of 200 classified and none held: {said}")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """gunicorn as it is started anywhere, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:hematovision.gunicorn_conf",
         "--bind", f"127.0.0.1:{port}"],
        env=os.environ | {"HEMATOVISION_VAR": str(tmp_path), "WEB_WORKERS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: _answers(port), "the site answers", START_SECONDS)
        yield process, port
    finally:
        process.kill()
        process.wait()


def test_a_request_that_is_under_way_gets_its_answer(
    web: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = web
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(
            b"POST /account/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n"
        )
        assert line.recv(100).startswith(b"HTTP/1.1 100")  # a worker has taken it up
        process.terminate()
        wait_until(lambda: not _answers(port), "nothing new is taken", 30)
        line.sendall(b"a=bc")
        assert line.recv(1000).startswith(b"HTTP/1.1 403")  # without the form's token
    assert process.wait(timeout=30) == 0


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(
                b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            )
            return line.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
