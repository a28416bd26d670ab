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
import subprocess
import sys
from pathlib import Path
from typing import Final

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

LICENCE: Final = "CC BY 4.0"
COUNTED: Final = "named basophil"


def main() -> None:
    """Go round the loop once, and print what came of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_options(parser)
    options = parser.parse_args()
    with running_loop("improvement_cases", options.data, _make_release) as loop:
        _go_round(loop, str(options.data))


def _make_release(var: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.improvement_release"]
    timed(
        "a release that never saw a basophil",
        lambda: subprocess.run(
            [*command, "--out", str(var / "release")], cwd=ROOT, check=True, capture_output=True
        ),
    )


def _go_round(loop: Loop, data: str) -> None:
    begun = loop.ask(f"begin({str(loop.var / 'release')!r})")
    say(f"In use: {begun['version']}.")
    timed(
        "the golden set, PBC's test fold",
        lambda: import_set(loop, "golden", "pbc", "PBC, test fold", LICENCE, "--data", data),
    )
    taken = timed("cases registered and read", lambda: loop.ask(f"take_in({data!r})"))
    say(f"{taken['patients']} patients with {taken['cells']} cells.")
    signed = timed("cases signed", lambda: loop.ask(f"sign_misnamed({data!r})"))
    say(f"Signed as: {signed}.")
    ada, paul = (loop.page(each, begun["password"]) for each in PEOPLE)
    agree_on_basis(ada, paul, LICENCE)
    timed("first set, candidate and comparison", lambda: train(ada, "retrain"))
    show_tables(loop, "Immature granulocytes signed as neutrophils")
    righted = timed("reports amended", lambda: loop.ask(f"set_right({data!r})"))
    say(f"{righted['amended']} reports amended.")
    made = timed("second set, candidate and comparison", lambda: train(ada, "retrain"))
    show_tables(loop, "The same cells, named rightly")
    try_in_shadow(loop, ada, made, f"new_case({data!r}, 0)")
    promote(loop, ada, made, begun["password"], "It knows basophils, and nothing else got worse.")
    loop.ask(f"new_case({data!r}, 1)")
    tell_standing("Promoted", loop.ask("standing()"), COUNTED)
    roll_back(loop, ada, begun["password"])
    loop.ask(f"new_case({data!r}, 2)")
    tell_standing("Rolled back", loop.ask("standing()"), COUNTED)
    ada.goto("/administration/models/")
    say(" ".join(ada.locator("table").first.inner_text().split()))


if __name__ == "__main__":
    main()
