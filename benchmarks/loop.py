"""A site on which somebody goes round a loop of improvement: its people, pages and steps.

What an administrator does is done in a browser, on the pages, which are never reloaded by hand.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.browser import CHROMIUM_OPTIONS, find_chromium
from benchmarks.retraining import show
from benchmarks.site import ask, manage, running_site, sign_in

Found = TypeVar("Found")
MINUTE: Final = 60_000
PEOPLE: Final = {
    "administrator": "administrator@demo.example",
    "pathologist": "pathologist@demo.example",
}


@dataclass(frozen=True, slots=True)
class Loop:
    """A running site, a browser to work at it, and the module that does the clinical work."""

    var: Path
    address: str
    browser: Browser
    cases: str

    def ask(self, call: str) -> Any:
        """Let the clinical side do something."""
        return ask(self.var, self.cases, call)

    def page(self, person: str, password: str) -> Page:
        """A page of somebody who has signed in."""
        cookies = sign_in(self.browser, self.address, PEOPLE[person], password)
        context = self.browser.new_context(base_url=self.address, storage_state=cookies)
        page = context.new_page()
        page.set_default_timeout(MINUTE)
        page.on("dialog", lambda dialog: dialog.accept())
        return page


@contextmanager
def running_loop(cases: str, data: Path, prepare: Callable[[Path], None]) -> Iterator[Loop]:
    """A site of its own in a folder that is prepared first, and removed afterwards."""
    os.environ["HEMATOVISION_DATA"] = str(data)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        var = Path(folder)
        prepare(var)
        with running_site(var, "--no-demo") as address:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=CHROMIUM_OPTIONS
            )
            yield Loop(var, address, browser, cases)
            browser.close()


def import_set(loop: Loop, name: str, folder: str, source: str, licence: str, *more: str) -> None:
    """Freeze a labelled set of a folder, as the command does."""
    words = [name, folder, "--source", source, "--licence", licence, *more]
    say(manage(loop.var, "import_labelled_set", *words).strip())


def agree_on_basis(ada: Page, paul: Page, licence: str) -> None:
    """Propose and approve on what basis the laboratory learns."""
    ada.goto("/administration/models/training/")
    ada.get_by_text("Propose a basis").click()
    ada.get_by_role("textbox", name="Basis").fill(f"Public images, {licence}")
    ada.get_by_label("Licence of what is made of it").fill(licence)
    ada.get_by_label("Covers cases signed from").fill("2020-01-01")
    ada.get_by_role("button", name="Propose").click()
    paul.goto("/administration/models/training/")
    paul.get_by_role("button", name="Approve in my name").click()
    expect(paul.get_by_text("In force")).to_be_visible()


def train(ada: Page, method: str) -> str:
    """Gather, freeze, train in this way and wait for the verdict; return the candidate's page."""
    today = datetime.now(UTC)
    ada.goto("/administration/models/training/")
    ada.locator("input[name=since]").fill(f"{today - timedelta(days=1):%Y-%m-%d}")
    ada.locator("input[name=until]").fill(f"{today + timedelta(days=1):%Y-%m-%d}")
    ada.get_by_role("button", name="Gather the cells").click()
    ada.get_by_role("button", name="Freeze").click(timeout=10 * MINUTE)
    say(ada.locator(".lede").inner_text())
    ada.locator(f"input[value={method}]").check()
    ada.get_by_role("button", name="Train a candidate").click()
    candidates = ada.locator("#retrainings")
    verdicts = candidates.get_by_role("link", name="the table on")
    expect(verdicts.first).to_be_visible(timeout=15 * MINUTE)
    expect(candidates.get_by_text("Being compared")).to_have_count(0, timeout=5 * MINUTE)
    say(" ".join(candidates.inner_text().split()))
    return str(candidates.locator("strong a").get_attribute("href"))


def show_tables(loop: Loop, words: str) -> dict[str, str]:
    """Print how the latest candidate compares on every set; return the pages of refusals."""
    found = loop.ask("tables()")["tables"]
    for each in found:
        show(f"{words}; {each['set']}", each["table"])
        say(_mcnemar_line(each["table"]["mcnemar"]))
    return {each["set"]: each["page"] for each in found if each["table"]["is_refused"]}


def _mcnemar_line(found: Mapping[str, Any]) -> str:
    """What McNemar's exact test says of all cells, in a sentence."""
    return (
        f"All cells, McNemar: only the candidate right {found['only_first_right']}, only the "
        f"version in use right {found['only_second_right']}, p = {found['p_value']:.2g}."
    )


def try_in_shadow(loop: Loop, ada: Page, made: str, new_case: str) -> None:
    """Let the candidate read a new case in shadow."""
    ada.goto(made)
    ada.get_by_role("button", name="Put in shadow").click()
    images = loop.ask(new_case)["images"]
    trial = timed("a case read in shadow", lambda: loop.ask(f"shadow_read({images})"))
    ada.goto(trial["page"])
    say(" ".join(ada.locator("main").inner_text().split()))


def promote(loop: Loop, ada: Page, made: str, password: str, reason: str) -> None:
    """Put the candidate in use, with the password."""
    ada.goto(made)
    ada.get_by_role("link", name="Promote").click()
    ada.get_by_label("Reason").fill(reason)
    ada.get_by_label("Your password, again").fill(password)
    ada.get_by_role("button", name="Promote in my name").click()
    expect(ada.locator("h1")).to_contain_text("In use")


def roll_back(loop: Loop, ada: Page, password: str) -> None:
    """Go back in one step."""
    ada.goto("/administration/models/roll-back/")
    ada.get_by_label("Reason").fill("A drill.")
    ada.get_by_label("Your password, again").fill(password)
    ada.get_by_role("button", name="Roll back in my name").click()
    ada.wait_for_url("**/administration/models/")


def tell_standing(words: str, found: Mapping[str, Any], counted: str) -> None:
    """The cases by the version that read them: the first one, and those after the signed ones."""
    say(f"\n{words}: {found['in_use']} is in use.\n")
    say(f"| case | state | read by | cells | {counted} |\n|---|---|---|---|---|")
    for row in [found["cases"][0], *(row for row in found["cases"][1:] if row["is_new"])]:
        say(
            f"| {row['case']} | {row['state']} | {row['version']} | {row['cells']} "
            f"| {row['counted']} |"
        )


def timed(words: str, work: Callable[[], Found]) -> Found:
    """Do something, and say how long it took."""
    started = time.monotonic()
    found = work()
    say(f"[{time.monotonic() - started:.0f} s] {words}")
    return found


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
