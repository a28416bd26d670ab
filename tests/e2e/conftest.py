"""Fixtures: the whole site as `make run` starts it, and a real browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, StorageState, sync_playwright

from demo.people import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Site:
    """A running site: where it answers, where it keeps its data, and its supervisor."""

    url: str
    hl7_port: int
    var: Path
    process: "subprocess.Popen[bytes]"


@pytest.fixture(scope="session")
def var() -> Iterator[Path]:
    """A folder for the site's data, with a space in its name, beside pytest's own folders."""
    with tempfile.TemporaryDirectory(prefix="hematovision site ") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def site(var: Path) -> Iterator[Site]:
    """Start the site's processes under the supervisor, with a demo laboratory and a listener."""
    port, hl7_port = _free_ports(2)
    log = (var / "site.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "hematovision.supervisor", "--port", str(port), "--images", ""],
        cwd=ROOT,
        env=site_environment(var) | {"LISTEN_HL7_PORT": str(hl7_port)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _await_answer(f"http://127.0.0.1:{port}/health/ready", process, var / "site.log")
        yield Site(f"http://127.0.0.1:{port}", hl7_port, var, process)
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(timeout=60)
        log.close()
    assert status == 0, (var / "site.log").read_text()[-3000:]


def find_chromium() -> str:
    """Return where the system's browser lies; without one, browser tests are left out."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium: install the system's package chromium")
    return chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium of the system's."""
    chromium = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sign_ins() -> dict[str, StorageState]:
    """The cookies of each role's sign-in, so that every role signs in once."""
    return {}


@pytest.fixture
def page_as(
    site: Site, browser: Browser, sign_ins: dict[str, StorageState]
) -> Iterator[Callable[[str], Page]]:
    """Open a page as one of the demonstration accounts; script errors and blocks fail the test."""
    contexts = []
    errors: list[str] = []

    def open_page(role: str, *, width: int = 1440, height: int = 900) -> Page:
        context = browser.new_context(
            base_url=site.url,
            viewport={"width": width, "height": height},
            storage_state=sign_ins.get(role),
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: _note_violation(message, errors))
        if role not in sign_ins:
            sign_in(page, role)
            sign_ins[role] = context.storage_state()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


def sign_in(page: Page, role: str) -> None:
    """Sign in with the password that `make run` prints."""
    page.goto("/account/login/")
    page.locator("input[name=login]").fill(f"{role}@demo.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def _note_violation(message: ConsoleMessage, errors: list[str]) -> None:
    """Keep what the content security policy blocked; refused uploads and the like are no error."""
    if "Content Security Policy" in message.text:
        errors.append(message.text)


def site_environment(var: Path) -> dict[str, str]:
    """The variables of the site's processes: those of the tests, but for where its data lie."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL", "SITE_URL", "DJANGO_SETTINGS_MODULE"}
    }
    return own | {"HEMATOVISION_VAR": str(var)}


def _free_ports(number: int) -> list[int]:
    """Return ports that nobody listens at, all different."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _await_answer(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    pytest.fail(f"the site did not come up:\n{log.read_text()[-3000:]}")
