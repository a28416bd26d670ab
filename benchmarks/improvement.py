"""The whole loop of improvement on real cells, through a site's own services, pages and workers.

    python -m benchmarks.improvement [--data FOLDER]

It starts a site in a folder that is removed afterwards. The version in use has the shipped
backbone and a head that never saw a basophil (`benchmarks.improvement_release`), as the shipped
head leaves too little to improve on cells of the source that it learned from. The laboratory's
patients and cases are cells of PBC's validation fold, which trained no release; a golden set is
PBC's test fold, which decides by the registry's rule and by nothing else.

A pathologist signs every case and misnames one class. A candidate learns from these signatures.
Then the reports are amended, and a second candidate learns from the same cells, named rightly.
What an administrator does is done in a browser, on the pages, which are never reloaded by hand.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.browser import CHROMIUM_OPTIONS, find_chromium
from benchmarks.retraining import show
from benchmarks.site import ROOT, ask, manage, running_site, sign_in
from ml.commands.inputs import add_data_options

Found = TypeVar("Found")
MINUTE: Final = 60_000
CASES: Final = "improvement_cases"
PEOPLE: Final = {
    "administrator": "administrator@demo.example",
    "pathologist": "pathologist@demo.example",
}


def main() -> None:
    """Go round the loop once, and print what came of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_options(parser)
    options = parser.parse_args()
    os.environ["HEMATOVISION_DATA"] = str(options.data)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        var = Path(folder)
        release = _timed("a release that never saw a basophil", lambda: _make_release(var))
        with running_site(var, "--no-demo") as address:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=CHROMIUM_OPTIONS
            )
            _go_round(Loop(var, address, browser, str(options.data)), release)
            browser.close()


@dataclass(frozen=True, slots=True)
class Loop:
    """A running site, and a browser to work at it."""

    var: Path
    address: str
    browser: Browser
    data: str

    def ask(self, call: str) -> Any:
        """Let the clinical side do something."""
        return ask(self.var, CASES, call)

    def page(self, person: str, password: str) -> Page:
        """A page of somebody who has signed in."""
        cookies = sign_in(self.browser, self.address, PEOPLE[person], password)
        context = self.browser.new_context(base_url=self.address, storage_state=cookies)
        page = context.new_page()
        page.set_default_timeout(MINUTE)
        page.on("dialog", lambda dialog: dialog.accept())
        return page


def _go_round(loop: Loop, release: Path) -> None:
    begun = loop.ask(f"begin({str(release)!r})")
    _say(f"In use: {begun['version']}.")
    _timed("the golden set, PBC's test fold", lambda: _import_golden(loop))
    taken = _timed("cases registered and read", lambda: loop.ask(f"take_in({loop.data!r})"))
    _say(f"{taken['patients']} patients with {taken['cells']} cells.")
    signed = _timed("cases signed", lambda: loop.ask(f"sign_misnamed({loop.data!r})"))
    _say(f"Signed as: {signed}.")
    ada, paul = (loop.page(each, begun["password"]) for each in PEOPLE)
    _agree_on_basis(ada, paul)
    _timed("first set, candidate and comparison", lambda: _train(ada))
    _show(loop, "Immature granulocytes signed as neutrophils")
    righted = _timed("reports amended", lambda: loop.ask(f"set_right({loop.data!r})"))
    _say(f"{righted['amended']} reports amended.")
    made = _timed("second set, candidate and comparison", lambda: _train(ada))
    _show(loop, "The same cells, named rightly")
    _trial(loop, ada, made)
    _promote(loop, ada, made, begun["password"])
    _roll_back(loop, ada, begun["password"])


def _make_release(var: Path) -> Path:
    out = var / "release"
    command = [sys.executable, "-m", "benchmarks.improvement_release", "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return out


def _import_golden(loop: Loop) -> None:
    words = ["golden", "pbc", "--data", loop.data, "--source", "PBC, test fold"]
    _say(manage(loop.var, "import_labelled_set", *words, "--licence", "CC BY 4.0").strip())


def _agree_on_basis(ada: Page, paul: Page) -> None:
    ada.goto("/administration/models/training/")
    ada.get_by_text("Propose a basis").click()
    ada.get_by_role("textbox", name="Basis").fill("Public images, CC BY 4.0")
    ada.get_by_label("Licence of what is made of it").fill("CC BY 4.0")
    ada.get_by_label("Covers cases signed from").fill("2020-01-01")
    ada.get_by_role("button", name="Propose").click()
    paul.goto("/administration/models/training/")
    paul.get_by_role("button", name="Approve in my name").click()
    expect(paul.get_by_text("In force")).to_be_visible()


def _train(ada: Page) -> str:
    """Gather, freeze, retrain and wait for the verdict; return the candidate's page."""
    today = datetime.now(UTC)
    ada.goto("/administration/models/training/")
    ada.locator("input[name=since]").fill(f"{today - timedelta(days=1):%Y-%m-%d}")
    ada.locator("input[name=until]").fill(f"{today + timedelta(days=1):%Y-%m-%d}")
    ada.get_by_role("button", name="Gather the cells").click()
    ada.get_by_role("button", name="Freeze").click(timeout=10 * MINUTE)
    _say(ada.locator(".lede").inner_text())
    ada.locator("input[value=retrain]").check()
    ada.get_by_role("button", name="Train a candidate").click()
    candidates = ada.locator("#retrainings")
    expect(candidates.get_by_role("link", name="the table on")).to_be_visible(timeout=15 * MINUTE)
    _say(" ".join(candidates.inner_text().split()))
    return str(candidates.locator("strong a").get_attribute("href"))


def _show(loop: Loop, words: str) -> None:
    show(words, loop.ask("table()")["table"])


def _trial(loop: Loop, ada: Page, made: str) -> None:
    """Let the candidate read a new case in shadow."""
    ada.goto(made)
    ada.get_by_role("button", name="Put in shadow").click()
    loop.ask(f"new_case({loop.data!r}, 0)")
    trial = _timed("a case read in shadow", lambda: loop.ask("shadow_read()"))
    ada.goto(trial["page"])
    _say(" ".join(ada.locator("main").inner_text().split()))


def _promote(loop: Loop, ada: Page, made: str, password: str) -> None:
    ada.goto(made)
    ada.get_by_role("link", name="Promote").click()
    ada.get_by_label("Reason").fill("It knows basophils, and nothing else got worse.")
    ada.get_by_label("Your password, again").fill(password)
    ada.get_by_role("button", name="Promote in my name").click()
    expect(ada.locator("h1")).to_contain_text("In use")
    loop.ask(f"new_case({loop.data!r}, 1)")
    _tell_standing("Promoted", loop.ask("standing()"))


def _roll_back(loop: Loop, ada: Page, password: str) -> None:
    ada.goto("/administration/models/roll-back/")
    ada.get_by_label("Reason").fill("A drill.")
    ada.get_by_label("Your password, again").fill(password)
    ada.get_by_role("button", name="Roll back in my name").click()
    ada.wait_for_url("**/administration/models/")
    loop.ask(f"new_case({loop.data!r}, 2)")
    found = loop.ask("standing()")
    _tell_standing("Rolled back", found)
    ada.goto("/administration/models/")
    _say(" ".join(ada.locator("table").first.inner_text().split()))


def _tell_standing(words: str, found: Mapping[str, Any]) -> None:
    """The cases by the version that read them, the latest ones each."""
    _say(f"\n{words}: {found['in_use']} is in use.\n")
    _say("| case | state | read by | cells | named basophil |\n|---|---|---|---|---|")
    for row in [found["cases"][0], *found["cases"][24:]]:
        _say(
            f"| {row['case']} | {row['state']} | {row['version']} | {row['cells']} "
            f"| {row['unseen']} |"
        )


def _timed(words: str, work: Callable[[], Found]) -> Found:
    started = time.monotonic()
    found = work()
    _say(f"[{time.monotonic() - started:.0f} s] {words}")
    return found


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
