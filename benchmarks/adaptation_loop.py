"""Adapting to a new laboratory, through a site's own services, pages and workers.

    python -m benchmarks.adaptation_loop --laboratory bccd --pbc-only WEIGHTS [--data FOLDER]
    python -m benchmarks.adaptation_loop --laboratory purple [--data FOLDER]

It starts a site in a folder that is removed afterwards. `bccd` is a laboratory that the version in
use never saw: white cells cut from BCCD's fields, read by the network of release pbc8 1.0.0, which
learned from PBC alone; its weights come from the repository's history (docs/models.md). The made
laboratories are PBC's validation and test folds in one strange stain, light and camera each, read
by the shipped release. Cells of one field, or that overlap, never lie on two sides.

Patients are registered and read, a pathologist signs every cell as what its set says it is, and
"Adapt to this laboratory" is started. The laboratory's other cells are the golden set; cells of
the home laboratory are another source. Both judge by the rule in force, which decides alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.adaptation_loop_room import HOME, LABORATORIES, LICENCES, REAL
from benchmarks.loop import (
    PEOPLE,
    Loop,
    agree_on_basis,
    import_set,
    promote,
    roll_back,
    running_loop,
    say,
    show_tables,
    tell_standing,
    timed,
    train,
    try_in_shadow,
)
from benchmarks.site import ROOT
from ml.commands.inputs import add_data_options

COUNTED = "named rightly"
GOLDEN = "golden"
WHY = "It reads our cells better."
OVERRIDDEN = "The laboratory doesn't use the other stain."


def main() -> None:
    """Adapt once, and print what came of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_options(parser)
    parser.add_argument("--laboratory", choices=LABORATORIES, default=REAL)
    parser.add_argument("--pbc-only", type=Path, help="weights that never learned from BCCD")
    options = parser.parse_args()
    if options.laboratory == REAL and options.pbc_only is None:
        parser.error("BCCD is new only to weights given with --pbc-only.")
    prepare = partial(_lay_out, options.laboratory, options.pbc_only)
    with running_loop("adaptation_loop_cases", options.data, prepare) as loop:
        _go(loop, options.laboratory)


def _lay_out(laboratory: str, weights: Path | None, var: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.adaptation_loop_room"]
    command += ["--laboratory", laboratory, "--out", str(var / "room")]
    command += ["--pbc-only", str(weights)] if weights else []
    timed(
        "the release in use, and the laboratory's cells",
        lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL),
    )


def _go(loop: Loop, laboratory: str) -> None:
    room = str(loop.var / "room")
    begun = loop.ask(f"begin({room!r})")
    say(f"In use: {begun['version']}.")
    licence = LICENCES[laboratory]
    import_set(loop, GOLDEN, f"{room}/{GOLDEN}", f"{laboratory}, other groups", licence)
    import_set(loop, HOME, f"{room}/{HOME}", "PBC, test fold", "CC BY 4.0", "--kind", "source")
    taken = timed("cases registered and read", lambda: loop.ask(f"take_in({room!r})"))
    say(f"{taken['patients']} patients with {taken['cells']} cells.")
    signed = timed("cases signed", lambda: loop.ask(f"sign_all({room!r})"))
    say(f"Signed as: {signed}.")
    ada, paul = (loop.page(each, begun["password"]) for each in PEOPLE)
    agree_on_basis(ada, paul, licence)
    made = timed("set, candidate and comparisons", lambda: train(ada, "adapt"))
    refusals = show_tables(loop, f"Adapted to {laboratory}")
    try_in_shadow(loop, ada, made, f"new_case({room!r}, 0)")
    if GOLDEN in refusals:
        _tell_obstacles(ada, made)
        return
    for page in refusals.values():
        _override(paul, page)
    _put_in_use(loop, ada, made, room, begun["password"])


def _tell_obstacles(ada: Page, made: str) -> None:
    """What the page of promoting says stands in the way."""
    ada.goto(made)
    ada.get_by_role("link", name="Promote").click()
    say(" ".join(ada.locator(".notice").inner_text().split()))


def _override(paul: Page, page: str) -> None:
    """Somebody other than the promoter answers for a refusal on the cells of the former stain."""
    paul.goto(page)
    paul.get_by_label("Reason").fill(OVERRIDDEN)
    paul.get_by_role("button", name="Override in my name").click()
    say(" ".join(paul.locator(".notice-caution").inner_text().split()))


def _put_in_use(loop: Loop, ada: Page, made: str, room: str, password: str) -> None:
    """Promote, read another case, go back, and read a last one."""
    promote(loop, ada, made, password, WHY)
    loop.ask(f"new_case({room!r}, 1)")
    tell_standing("Promoted", loop.ask(f"standing({room!r})"), COUNTED)
    roll_back(loop, ada, password)
    loop.ask(f"new_case({room!r}, 2)")
    tell_standing("Rolled back", loop.ask(f"standing({room!r})"), COUNTED)


if __name__ == "__main__":
    main()
