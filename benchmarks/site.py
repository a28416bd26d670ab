"""A site of a benchmark's own, as `make run` starts it, in a folder that is removed afterwards."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, StorageState

from hematovision.embedded import EmbeddedServers

ROOT: Final = Path(__file__).resolve().parents[1]
START_SECONDS: Final = 240


@contextmanager
def running_site(var: Path, *options: str) -> Iterator[str]:
    """The address of a whole site that keeps its data in `var`; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (var / "site.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "hematovision.supervisor", "--port", str(port), *options],
        cwd=ROOT,
        env=_environment(var),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(f"{address}/health/ready", process)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        log.close()


def ask(var: Path, module: str, call: str) -> Any:
    """Have a shell of the site's own run a call of a module of this package; return its JSON."""
    return json.loads(
        manage(var, "shell", "-v0", "-c", f"from benchmarks import {module}; {module}.{call}")
    )


def manage(var: Path, *arguments: str) -> str:
    """Run a management command of the site; return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=_environment(var) | EmbeddedServers(var).environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def sign_in(browser: Browser, address: str, login: str, password: str) -> StorageState:
    """Cookies of a person, got in a browser whose cache is thrown away."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/account/login/")
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)
    cookies = context.storage_state()
    context.close()
    return cookies


def _environment(var: Path) -> dict[str, str]:
    own = {"DATABASE_URL", "REDIS_URL", "SITE_URL", "DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return kept | {"HEMATOVISION_VAR": str(var)}


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - this machine's own
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise SystemExit("The site did not come up.")
