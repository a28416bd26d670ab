"""A case of 200 cells, ten of them named wrongly: what the hands must do, against drag and drop.

Both ways start from the opened review, and end when every cell carries its true class and nothing
is undecided. Looking through the gallery is the same in both and not counted.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site
from tests.e2e.hands import Hands
from tests.e2e.shell import ask
from tests.e2e.steps import MINUTE

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

KEYS = {
    "neutrophil": "1",
    "lymphocyte": "2",
    "monocyte": "3",
    "eosinophil": "4",
    "basophil": "5",
    "immature_granulocyte": "6",
}


@dataclass(frozen=True)
class Outcome:
    """What one way took: gestures, seconds of the model and of the script."""

    name: str
    hands: Hands
    scripted: float

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.hands.gestures.items()))
        return (
            f"{self.name:34} {self.hands.total:3d} gestures ({kinds}), "
            f"{self.hands.seconds:5.1f} s of hands, {self.scripted:5.1f} s scripted"
        )


def test_keys_take_less_than_drag_and_drop(
    site: Site, page_as: Callable[..., Page], capsys: pytest.CaptureFixture[str]
) -> None:
    with_keys = review(site, page_as("pathologist"), "referred first, keys", by_keys)
    one_by_one = review(site, page_as("pathologist"), "gallery, each cell dragged", by_dragging)
    together = review(site, page_as("pathologist"), "gallery, several dragged", by_dragging_several)
    with capsys.disabled():
        sys.stdout.write("".join(f"\n{each}" for each in (with_keys, one_by_one, together)))
    elementary = [parts(outcome.hands) for outcome in (with_keys, one_by_one, together)]
    assert elementary[0] < min(elementary[1:])
    assert with_keys.hands.seconds < 0.6 * min(one_by_one.hands.seconds, together.hands.seconds)


def parts(hands: Hands) -> int:
    """Gestures taken apart: a click is pointing, press and release, a drag points twice."""
    per = {"key": 1, "wheel": 1, "click": 3, "drag": 4}
    return sum(per[kind] * count for kind, count in hands.gestures.items())


def review(
    site: Site, page: Page, name: str, way: Callable[[Hands, dict[str, str]], None]
) -> Outcome:
    """Make the case anew, bring it to its true classes in one way, and check what is stored."""
    page.emulate_media(reduced_motion="reduce")  # else the page still glides under the hand
    made = ask(site, "count_case", "make()")
    page.goto(f"/cases/{made['case']}/review/")
    page.get_by_role("button", name="Start review").click()
    expect(page.locator("#review[data-editable][data-ready]")).to_be_visible()
    hands = Hands(page)
    started = time.perf_counter()
    way(hands, made["truth"])
    expect(page.get_by_text("Every referred cell is decided")).to_be_visible(timeout=MINUTE)
    scripted = time.perf_counter() - started
    assert ask(site, "count_case", f"tell('{made['case']}')") == made["truth"]
    return Outcome(name, hands, scripted)


def by_keys(hands: Hands, truth: dict[str, str]) -> None:
    """Name the referred cells, which are selected one after the other; then the others seen."""
    for cell in iter(lambda: current(hands.page), None):
        hands.key(KEYS[truth[cell]])
        expect(hands.page.locator(f"#group-unresolved #cell-{cell}")).to_have_count(
            0, timeout=MINUTE
        )
        if not undecided(hands.page):
            break
    for cell, _ in wrong(hands.page, truth):
        hands.click(hands.page.locator(f"#cell-{cell}"))
        hands.key(KEYS[truth[cell]])


def by_dragging(hands: Hands, truth: dict[str, str]) -> None:
    """Drag each undecided or wrong cell onto the class where it belongs."""
    for cell, _ in [*undecided(hands.page), *wrong(hands.page, truth)]:
        drop(hands, cell, truth[cell])


def by_dragging_several(hands: Hands, truth: dict[str, str]) -> None:
    """Select what goes the same way with Ctrl, then drag it together."""
    lots: dict[tuple[str, str], list[str]] = {}
    for cell, group in [*undecided(hands.page), *wrong(hands.page, truth)]:
        lots.setdefault((group, truth[cell]), []).append(cell)
    for (_, target), cells in lots.items():
        if len(cells) > 1:
            hands.click(hands.page.locator(f"#cell-{cells[0]}"))
        for cell in cells[1:]:
            hands.click(hands.page.locator(f"#cell-{cell}"), adding=True)
        drop(hands, cells[-1], target)


def drop(hands: Hands, cell: str, target: str) -> None:
    """Drag the cell, and all that is selected with it, onto a class of the gallery."""
    hands.drag(hands.page.locator(f"#cell-{cell}"), hands.page.locator(f"#group-{target} h3"))
    expect(hands.page.locator(f"#group-{target} #cell-{cell}")).to_be_attached(timeout=MINUTE)


def current(page: Page) -> str | None:
    """The selected cell, if it is undecided."""
    tile = page.locator("#group-unresolved .cell[aria-selected=true]")
    return str(tile.get_attribute("data-cell")) if tile.count() else None


def undecided(page: Page) -> list[tuple[str, str]]:
    """The undecided cells and their group."""
    return [(cell, group) for cell, group in shown(page) if group == "unresolved"]


def wrong(page: Page, truth: dict[str, str]) -> list[tuple[str, str]]:
    """The cells of a class that isn't theirs."""
    return [
        (cell, group) for cell, group in shown(page) if group not in ("unresolved", truth[cell])
    ]


def shown(page: Page) -> list[tuple[str, str]]:
    """Every tile and its group, in the order of the gallery."""
    return [
        (str(cell), str(group))
        for cell, group in page.evaluate(
            """() => [...document.querySelectorAll(".cell[data-cell]")].map(
                (tile) => [tile.dataset.cell, tile.closest("[data-group]").dataset.group])"""
        )
    ]
