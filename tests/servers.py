"""Pytest plugin: real PostgreSQL and Redis for the test run, before Django reads its settings.

With DATABASE_URL and REDIS_URL set, those servers are used instead and nothing is started.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hematovision.embedded import EmbeddedError, EmbeddedServers

ROOT = Path(__file__).resolve().parents[1]
WORKER = "PYTEST_XDIST_WORKER"
"""Set by pytest-xdist in each process of a run on several cores; each has servers of its own."""

_resources = ExitStack()
_started: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Point the settings at servers and a var folder of the test run's own."""
    var = _own_var()
    os.environ["HEMATOVISION_VAR"] = str(var)
    os.environ["VAULT_KEY_FILE"] = str(var / "vault.keys")
    is_worker = WORKER in os.environ
    if is_worker or not early_config.known_args_namespace.numprocesses:
        _start_servers(var)
    yield


def _start_servers(var: Path) -> None:
    servers = EmbeddedServers(var, given=os.environ, durable=False)
    try:
        servers.start()
    except EmbeddedError as error:
        raise pytest.UsageError(str(error)) from error
    _resources.callback(servers.stop)
    _started.extend(servers.environment)
    os.environ.update(servers.environment)


def pytest_unconfigure() -> None:
    """Stop the servers and remove what was temporary."""
    _resources.close()


def is_database_own() -> bool:
    """Whether PostgreSQL is the tests' own, and not given by the environment."""
    return "DATABASE_URL" in _started


def _own_var() -> Path:
    """Return var/test, kept from run to run; a folder of its own for a run beside another.

    A worker of a run on several cores gets a folder in that of its run.
    """
    var = Path(os.environ.get("HEMATOVISION_VAR") or ROOT / "var")
    var /= os.environ.get(WORKER, "test")
    var.mkdir(parents=True, exist_ok=True)
    lock = _resources.enter_context((var / "run.lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Path(_resources.enter_context(tempfile.TemporaryDirectory(prefix="hematovision-")))
    return var
