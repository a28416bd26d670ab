"""The field viewer in a browser: choose, name, add, resize, remove, measure, filter, undo."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Site
from tests.e2e.shell import ask
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]


@dataclass(frozen=True)
class FieldCase:
    """A case of two fields and its cells by name; `stored` tells what the site keeps of it."""

    site: Site
    case: str
    cells: dict[str, str]

    def open(self, page: Page) -> None:
        """Open its review, on the first field."""
        page.goto(f"/cases/{self.case}/review/?cell={self.cells['neutrophil']}")
        page.get_by_role("button", name="Fields").click()
        expect(self.box(page, "neutrophil")).to_have_attribute("aria-selected", "true")

    def box(self, page: Page, name: str) -> Locator:
        """The box of a cell."""
        return page.locator(f'.box[data-cell="{self.cells[name]}"]')

    def press(self, page: Page, name: str) -> None:
        """Choose a cell by a click into the middle of its box."""
        x, y, width, height = place(self.box(page, name).locator(".box-line"))
        page.mouse.click(x + width / 2, y + height / 2)
        expect(self.box(page, name)).to_have_attribute("aria-selected", "true")

    @property
    def stored(self) -> dict[str, Any]:
        """All that was said of its cells, and what the audit trail calls it."""
        return ask(self.site, "field_case", f"tell('{self.case}')")


@pytest.fixture(scope="module")
def fields(site: Site) -> FieldCase:
    """Two fields of one case, in review by the demonstration's pathologist."""
    made = ask(site, "field_case", "make()")
    return FieldCase(site, made["case"], made["cells"])


def place(shape: Locator) -> tuple[float, float, float, float]:
    """Where a shape lies on the screen: x, y, width, height; once the picture rests."""
    frame = shape.bounding_box()
    for _ in range(20):
        shape.page.wait_for_timeout(50)
        before, frame = frame, shape.bounding_box()
        if frame == before:
            break
    assert frame
    return frame["x"], frame["y"], frame["width"], frame["height"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the mouse."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def test_boxes_are_corrected_and_taken_back(
    page_as: Callable[..., Page], fields: FieldCase
) -> None:
    page = page_as("pathologist")
    fields.open(page)
    assert_accessible(page)
    keep_screenshot(page, "field-viewer-desktop")
    toast = page.locator("[data-hook=toast]")
    summary = page.locator("#summary .aside").first
    expect(summary).to_contain_text("2 of")

    fields.press(page, "referred")
    expect(page.locator("[data-hook=finding]")).to_have_text("Undecided")
    page.keyboard.press("3")
    expect(fields.box(page, "referred")).to_have_attribute("data-state", "human")
    expect(summary).to_contain_text("3 of")

    add_a_cell(page)
    expect(toast).to_contain_text("Added: Basophil")
    expect(summary).to_contain_text("4 of")
    added = page.locator('.box[data-class="basophil"]')
    expect(added).to_have_attribute("aria-selected", "true")
    grow(page)
    expect(toast).to_contain_text("Box drawn anew")
    page.keyboard.press("Delete")
    expect(toast).to_contain_text("1 cell removed")
    expect(summary).to_contain_text("3 of")
    page.keyboard.press("u")
    expect(summary).to_contain_text("4 of")

    fields.press(page, "red")
    page.keyboard.press("2")
    expect(summary).to_contain_text("5 of")
    page.keyboard.press("f")
    expect(page.locator(f"#group-lymphocyte #cell-{fields.cells['red']}")).to_be_visible()
    check_stored(fields)


def add_a_cell(page: Page) -> None:
    """Draw a box where no cell was found; nothing is sent before its class is chosen."""
    page.get_by_role("button", name="Add cell").click()
    left, top, width, height = place(page.locator(".field-canvas"))
    start = (left + width / 2, top + height * 0.6)
    drag(page, start, (start[0] + 60, start[1] + 60))
    expect(page.locator("[data-hook=finding]")).to_have_text("New cell")
    page.keyboard.press("5")


def grow(page: Page) -> None:
    """Pull the lower right handle of the selected box outwards."""
    x, y, width, height = place(page.locator('[data-handle="se"] .handle-reach'))
    middle = (x + width / 2, y + height / 2)
    drag(page, middle, (middle[0] + 30, middle[1] + 20))


def check_stored(fields: FieldCase) -> None:
    """The reviewer's words are rows of their own; the machine's boxes are as they were."""
    stored = fields.stored
    marks = stored["marks"]
    assert marks[0] == {"cell": fields.cells["referred"], "class": "monocyte"}
    added, grown, removed, undone = marks[1:5]
    assert {mark["cell"] for mark in (added, grown, removed, undone)} == {added["cell"]}
    assert added["class"] == "basophil"
    assert "box" not in added
    x0, y0, x1, y1 = grown["box"]
    assert [x0, y0] in [box[:2] for box in stored["boxes"]]
    assert [x0, y0, x1, y1] not in stored["boxes"]
    assert removed["removed"]
    assert undone == grown
    assert marks[5] == {"cell": fields.cells["red"], "class": "lymphocyte"}
    assert [100, 100, 200, 200] in stored["boxes"]
    wanted = ["cell.corrected", "cell.added", "cell.reshaped", "cell.removed", "review.undone"]
    told = [action for action in stored["actions"] if action in wanted]
    assert told == [*wanted, "cell.corrected"]


def test_the_same_cell_in_two_fields_is_counted_when_the_reviewer_says_so(
    page_as: Callable[..., Page], fields: FieldCase
) -> None:
    page = page_as("pathologist")
    fields.open(page)
    summary = page.locator("#summary .aside").first
    counted = int(re.findall(r"\d+", summary.inner_text())[0])
    page.locator(".pair-picture", has_text="field-2.png").click()
    expect(page.locator("[data-hook=field-name]")).to_have_text("field-2.png")
    expect(fields.box(page, "again")).to_have_attribute("data-fate", "repeat")
    expect(page.locator("#stage")).to_contain_text("Same cell as in field-1.png")
    page.get_by_role("button", name="Another cell: count it").click()
    expect(summary).to_contain_text(f"{counted + 1} of")
    page.keyboard.press("u")
    expect(summary).to_contain_text(f"{counted} of")
    page.keyboard.press("[")
    expect(page.locator("[data-hook=field-name]")).to_have_text("field-1.png")


def test_looking_needs_no_reviewer_and_a_phone_will_do(
    page_as: Callable[..., Page], fields: FieldCase
) -> None:
    page = page_as("technician", width=390, height=844)
    fields.open(page)
    assert_fits(page)
    assert_accessible(page)
    keep_screenshot(page, "field-viewer-phone")
    expect(page.get_by_role("button", name="Add cell")).to_have_count(0)
    expect(page.locator(".handle")).to_have_count(0)

    red = page.locator('.box[data-kind="quiet"][data-class="erythrocyte"]')
    expect(red).not_to_have_count(0)
    page.get_by_role("checkbox", name="RBC").uncheck()
    expect(red).to_have_count(0)
    page.reload()
    page.get_by_role("button", name="Fields").click()
    expect(fields.box(page, "neutrophil")).to_be_visible()
    expect(red).to_have_count(0)

    page.get_by_role("button", name="Measure").press("Enter")
    note = page.locator("[data-hook=field-note]")
    expect(note).to_contain_text(re.compile(r"\d+ px, about [\d.]+ µm from red cells of 7.5 µm"))
    before = note.inner_text()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(note).not_to_have_text(before)
    page.keyboard.press("Escape")
    expect(note).to_contain_text("px per µm")
