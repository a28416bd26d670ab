"""Real processes, each test in folders of its own, whose paths are long and have spaces."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hematovision.embedded import EmbeddedServers

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def initialised_var() -> Iterator[Path]:
    """Return a var folder in which the servers ran once, to be copied: that saves time."""
    with awkward_folder() as folder:
        with EmbeddedServers(folder / "var"):
            pass
        yield folder / "var"


@pytest.fixture(scope="session")
def prepared_var(initialised_var: Path) -> Iterator[Path]:
    """Return a var folder in which the site has been prepared once, to be copied."""
    with awkward_folder() as folder:
        copy(initialised_var, folder / "var")
        with EmbeddedServers(folder / "var") as servers:
            subprocess.run(
                [sys.executable, "-m", "hematovision.supervisor.prepare"],
                cwd=ROOT,
                env=own_environment(folder / "var") | servers.environment,
                check=True,
            )
        yield folder / "var"


@pytest.fixture
def var(initialised_var: Path) -> Iterator[Path]:
    """Return a var folder such as an unlucky user has."""
    with awkward_folder() as folder:
        copy(initialised_var, folder / "var")
        yield folder / "var"


def copy(source: Path, target: Path) -> None:
    """Copy a var folder, owners and times included."""
    subprocess.run(["cp", "--archive", source, target], check=True)


def own_environment(var: Path) -> dict[str, str]:
    """Return an environment without the test run's own servers."""
    own = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SITE_URL", "ALLOWED_HOSTS"}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return kept | {"HEMATOVISION_VAR": str(var)}


@contextmanager
def awkward_folder() -> Iterator[Path]:
    """Make a folder with a long name and spaces.

    Pytest's own temporary folders will not do: run as root, another test run beside this one
    closes them again for the account PostgreSQL runs under.
    """
    prefix = "hematovision, a folder with spaces and " + "a long name " * 8
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        yield Path(folder)


@pytest.fixture
def environment(var: Path) -> dict[str, str]:
    """Return the environment of a program that runs in ``var``."""
    return own_environment(var)


@pytest.fixture
def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def launch(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return how to start one of the product's programs; what still runs at the end is stopped."""
    started: list[subprocess.Popen[str]] = []

    def start(*command: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=60)


def wait_until(true: Callable[[], object], *, seconds: float = 200) -> None:
    """Return once ``true()`` is so; fail when it does not come about."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{true} did not come true in {seconds} s"
        time.sleep(0.1)
