"""Two people and two windows on one case, and cells side by side, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site
from tests.e2e.shell import ask
from tests.e2e.test_field_viewer import FieldCase
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

SOON = 15_000
"""Milliseconds; a page asks for news every five seconds."""

PageAs = Callable[..., Page]


@pytest.fixture
def fields(site: Site) -> FieldCase:
    """Two fields of one case, in review by the demonstration's pathologist."""
    made = ask(site, "field_case", "make()")
    return FieldCase(site, made["case"], made["cells"])


def visit(page: Page, fields: FieldCase, name: str = "neutrophil") -> None:
    page.goto(f"/cases/{fields.case}/review/?cell={fields.cells[name]}")
    expect(page.locator(f"#cell-{fields.cells[name]}")).to_have_attribute("aria-selected", "true")


def state_of(page: Page, fields: FieldCase, name: str) -> str | None:
    return page.locator(f"#cell-{fields.cells[name]}").get_attribute("data-state")


def test_two_people_see_each_other_and_what_is_named(page_as: PageAs, fields: FieldCase) -> None:
    reviewer, onlooker = page_as("pathologist"), page_as("technician")
    visit(reviewer, fields)
    visit(onlooker, fields)
    here = "[data-hook=present]"
    expect(onlooker.locator(here)).to_contain_text("Leila Haddad, MD, reviewing", timeout=SOON)
    expect(reviewer.locator(here)).to_contain_text("Tara Lindqvist, MLS, looking", timeout=SOON)
    assert_accessible(reviewer)
    keep_screenshot(reviewer, "two-people-desktop")

    reviewer.keyboard.press("2")
    tile = onlooker.locator(f"#group-lymphocyte #cell-{fields.cells['neutrophil']}")
    expect(tile).to_have_attribute("data-state", "human", timeout=SOON)
    expect(onlooker.locator("[data-hook=toast]")).to_contain_text("Leila Haddad, MD named 1 cell.")
    expect(onlooker.locator("#summary .summary-notes").first).to_contain_text("1 of")
    expect(onlooker.locator("[data-hook=finding]")).to_have_text("Lymphocyte")


def test_a_second_window_asks_before_it_overwrites(page_as: PageAs, fields: FieldCase) -> None:
    first = page_as("pathologist")
    second = first.context.new_page()
    for window in (first, second):
        window.route("**/presence/**", lambda route: route.abort())  # neither hears of the other
        visit(window, fields)
    tile = f"#cell-{fields.cells['neutrophil']}"
    first.keyboard.press("2")
    expect(first.locator(tile)).to_have_attribute("data-state", "human")

    second.keyboard.press("3")
    dialog = second.get_by_role("dialog")
    expect(dialog).to_contain_text("1 cell changed since you saw it")
    expect(dialog).to_contain_text("Lymphocyte")
    expect(dialog).to_contain_text("Leila Haddad")
    expect(dialog).to_contain_text("What you asked for: Monocyte")
    assert_accessible(second)
    keep_screenshot(second, "conflict-desktop")
    second.keyboard.press("5")  # names nothing while the question is open
    dialog.get_by_role("button", name="Keep what is there").click()
    expect(second.locator(f"#group-lymphocyte {tile}")).to_be_visible()
    assert [mark["class"] for mark in fields.stored["marks"]] == ["lymphocyte"]

    second.locator(tile).click()
    second.keyboard.press("3")
    expect(second.locator(f"#group-monocyte {tile}")).to_be_visible()

    first.keyboard.press("u")
    dialog = first.get_by_role("dialog")
    expect(dialog).to_contain_text("your last step taken back")
    dialog.get_by_role("button", name="Apply anyway").click()
    expect(first.locator(f"#group-lymphocyte {tile}")).to_be_visible()
    marks = [mark["class"] for mark in fields.stored["marks"]]
    assert marks == ["lymphocyte", "monocyte", "lymphocyte"]


def test_cells_are_compared_at_one_scale_and_named_there(
    page_as: PageAs, fields: FieldCase
) -> None:
    page = page_as("pathologist")
    visit(page, fields)
    for name in ("lymphocyte", "referred"):
        page.locator(f"#cell-{fields.cells[name]}").click(modifiers=["Control"])
    page.keyboard.press("c")
    compared = page.get_by_role("listbox", name="Compared cells").get_by_role("option")
    expect(compared).to_have_count(3)
    expect(page.locator("[data-hook=compare-note]")).to_contain_text("µm")
    sides = page.locator(".compared svg").evaluate_all(
        "all => all.map(svg => Number(svg.getAttribute('viewBox').split(' ')[2]))"
    )
    assert len(set(sides)) == 1, "both fields have red cells of one size"
    chosen = page.locator('.compared[aria-selected="true"]')
    expect(chosen).to_have_attribute("data-state", "referred")
    strips = page.locator("[data-hook=reference-strips] .strip > li")
    expect(strips).not_to_have_count(0)
    page.get_by_role("tab", name="Basophil").click()
    expect(page.locator("[data-hook=reference-strips] h4")).to_have_text(["Basophil"])
    assert_accessible(page)
    assert_fits(page)
    keep_screenshot(page, "compare-desktop")

    chosen.focus()
    page.keyboard.press("+")
    zoomed = page.locator(".compared svg").evaluate_all(
        "all => all.map(svg => Number(svg.getAttribute('viewBox').split(' ')[2]))"
    )
    assert zoomed == pytest.approx([side / 1.25 for side in sides])
    page.keyboard.press("Home")
    first = chosen.get_attribute("data-compared")
    page.keyboard.press("3")
    expect(page.locator(f'.compared[data-compared="{first}"]')).to_have_attribute(
        "data-state", "human"
    )
    assert chosen.get_attribute("data-compared") != first, "naming goes on to the next cell"
    page.keyboard.press("Escape")
    expect(page.locator('.cell[aria-selected="true"]')).to_have_count(3)
    expect(page.locator(f"#group-monocyte #cell-{first}")).to_be_visible()


def test_comparing_fits_a_phone_and_needs_no_keys(page_as: PageAs, fields: FieldCase) -> None:
    page = page_as("technician", width=390, height=844)
    visit(page, fields)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".compared")).to_have_count(1)
    page.get_by_role("button", name="Zoom in").click()
    assert_fits(page)
    assert_accessible(page)
    keep_screenshot(page, "compare-phone")
    page.get_by_role("button", name="Back").click()
    expect(page.locator("[data-panel=cells]")).to_be_visible()
