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

_resources = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Point the settings at servers and a var folder of the test run's own."""
    var = _own_var()
    os.environ["HEMATOVISION_VAR"] = str(var)
    os.environ["VAULT_KEY_FILE"] = str(var / "vault.keys")
    servers = EmbeddedServers(var, given=os.environ, durable=False)
    try:
        servers.start()
    except EmbeddedError as error:
        raise pytest.UsageError(str(error)) from error
    _resources.callback(servers.stop)
    os.environ.update(servers.environment)
    yield


def pytest_unconfigure() -> None:
    """Stop the servers and remove what was temporary."""
    _resources.close()


def _own_var() -> Path:
    """Return var/test, kept from run to run; a folder of its own for a run beside another."""
    var = Path(os.environ.get("HEMATOVISION_VAR") or ROOT / "var") / "test"
    var.mkdir(parents=True, exist_ok=True)
    lock = _resources.enter_context((var / "run.lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Path(_resources.enter_context(tempfile.TemporaryDirectory(prefix="hematovision-")))
    return var
