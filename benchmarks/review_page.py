"""What the review page weighs and how fast it is, for 200 and 1,000 cells, side by side in one run.

python -m benchmarks.review_page [--cells 200 1000] [--field CELLS] [--runs 3]

It starts a site of its own in a folder that is removed afterwards, makes the cases from drawn
cells, and opens them in headless Chromium as a pathologist. Times are from the request on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, Response, sync_playwright

from benchmarks.browser import CHROMIUM_OPTIONS, FIRST_PICTURES, MEASURE, SCROLL, find_chromium
from benchmarks.site import ask, running_site, sign_in

KINDS = {
    "text/html": "HTML",
    "text/javascript": "JavaScript",
    "text/css": "CSS",
    "font/woff2": "fonts",
}
ROWS = (
    ("HTML", "kB"),
    ("HTML unpacked", "kB"),
    ("of it data for the script", "kB"),
    ("JavaScript", "kB"),
    ("CSS", "kB"),
    ("fonts", "kB"),
    ("pictures of the first screen", "kB"),
    ("pictures of all cells", "kB"),
    ("server's time for the page", "ms"),
    ("first cell painted", "ms"),
    ("all pictures of the first screen", "ms"),
    ("ready for the hands", "ms"),
    ("longest frame while scrolling", "ms"),
    ("median frame while scrolling", "ms"),
    ("frames over 50 ms", "%"),
    ("layout shift (CLS)", ""),
)
Figures = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every case several times in fresh browsers and print the medians."""
    options = _parser().parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder), "--images", "") as address,
    ):
        cases = {
            count: ask(Path(folder), "review_cases", f"make({count}, per_field={options.field})")
            for count in options.cells
        }
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=CHROMIUM_OPTIONS
            )
            columns = {
                count: [_measure(browser, address, case) for _ in range(options.runs)]
                for count, case in cases.items()
            }
            browser.close()
    _print(columns)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review_page", description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--field", type=int, default=0, help="cells a field; 0: a picture each")
    parser.add_argument("--runs", type=int, default=3)
    return parser


def _measure(browser: Browser, address: str, made: dict[str, str]) -> Figures:
    """Open the case in a browser that has nothing kept, then scroll to its end."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": 1440, "height": 900},
        storage_state=sign_in(browser, address, made["reviewer"], made["password"]),
    )
    page = context.new_page()
    bodies: list[Response] = []
    page.on("response", lambda response: bodies.append(response))  # noqa: PLW0108 - it is marked
    page.add_init_script(MEASURE)
    page.goto(f"/cases/{made['case']}/review/", wait_until="load")
    page.wait_for_function("() => window.figures.pictures && window.figures.ready")
    page.wait_for_timeout(1000)
    figures = _of_load(page, bodies)
    scrolled: dict[str, float] = page.evaluate(SCROLL)
    page.wait_for_load_state("networkidle", timeout=120_000)
    figures["longest frame while scrolling"] = scrolled["longest"]
    figures["median frame while scrolling"] = scrolled["median"]
    figures["frames over 50 ms"] = scrolled["slow"]
    figures["layout shift (CLS)"] = page.evaluate("window.figures.shift")
    figures["pictures of all cells"] = _size(bodies, "image/")
    context.close()
    return figures


def _of_load(page: Page, bodies: Sequence[Response]) -> Figures:
    measured: dict[str, Any] = page.evaluate("window.figures")
    timing: dict[str, float] = page.evaluate(
        "performance.getEntriesByType('navigation')[0].toJSON()"
    )
    data = page.evaluate("document.getElementById('review-data').textContent.length")
    figures = {name: _size(bodies, kind) for kind, name in KINDS.items()}
    return figures | {
        "HTML unpacked": timing["decodedBodySize"] / 1000,
        "of it data for the script": data / 1000,
        "pictures of the first screen": page.evaluate(FIRST_PICTURES) / 1000,
        "server's time for the page": timing["responseStart"] - timing["requestStart"],
        "first cell painted": measured["first"],
        "all pictures of the first screen": measured["pictures"],
        "ready for the hands": measured["ready"],
    }


def _size(bodies: Sequence[Response], kind: str) -> float:
    """Kilobytes that came over the line for this kind of content."""
    wanted = [one for one in bodies if one.headers.get("content-type", "").startswith(kind)]
    return sum(max(0, one.request.sizes()["responseBodySize"]) for one in wanted) / 1000


def _print(columns: dict[int, list[Figures]]) -> None:
    heads = "".join(f"{f'{count:,} cells':>14}" for count in columns)
    _say(f"load of the machine: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    _say(f"{'':36}{heads}")
    for name, unit in ROWS:
        values = [median(run[name] for run in runs) for runs in columns.values()]
        places = 3 if not unit else 0
        cells = "".join(f"{value:>14,.{places}f}" for value in values)
        _say(f"{name:33}{unit:3}{cells}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
