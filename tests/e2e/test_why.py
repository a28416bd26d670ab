"""Why did it say so, in a browser: quick maps at once, the others on demand, by keyboard."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Site
from tests.e2e.shell import ask
from tests.e2e.test_field_viewer import FieldCase
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

SECONDS = 1000


@pytest.fixture(scope="module")
def fields(site: Site) -> FieldCase:
    """Two fields of one case, in review by the demonstration's pathologist."""
    made = ask(site, "field_case", "make()")
    return FieldCase(site, made["case"], made["cells"])


def open_why(page: Page, fields: FieldCase, name: str) -> None:
    page.goto(f"/cases/{fields.case}/review/?cell={fields.cells[name]}")
    page.keyboard.press("y")
    expect(page.locator("#why")).to_have_attribute("data-cell", fields.cells[name])


def test_both_quick_maps_come_by_themselves_and_shap_on_demand(
    page_as: Callable[..., Page], fields: FieldCase
) -> None:
    page = page_as("pathologist")
    open_why(page, fields, "neutrophil")
    expect(page.locator(".why-layer")).to_have_count(1, timeout=60 * SECONDS)
    expect(page.get_by_text("How faithful is it?")).to_be_visible(timeout=60 * SECONDS)
    page.keyboard.press(".")
    expect(page.locator(".why-methods [aria-current]")).to_have_text("Grad-CAM++, made")
    expect(page.get_by_text("How faithful is it?")).to_be_visible(timeout=60 * SECONDS)
    assert_accessible(page)
    assert_fits(page)
    keep_screenshot(page, "why-desktop")

    page.keyboard.press(".")
    page.get_by_role("button", name="Make SHAP").click()
    expect(page.locator("#why")).to_have_attribute("data-status", "done", timeout=90 * SECONDS)
    expect(page.locator("[data-hook=live]")).to_have_text("SHAP: Done")
    expect(page.get_by_text("SHAP: bright where")).to_be_visible()
    assert_accessible(page)


def test_keys_change_the_map_and_never_the_class(
    page_as: Callable[..., Page], fields: FieldCase
) -> None:
    page = page_as("pathologist")
    open_why(page, fields, "lymphocyte")
    layer = page.locator(".why-layer").first
    expect(layer).to_be_visible(timeout=60 * SECONDS)
    page.keyboard.press("-")
    expect(layer).to_have_attribute("opacity", "0.6")
    page.keyboard.press("h")
    expect(layer).to_be_hidden()
    page.keyboard.press("h")
    page.keyboard.press(";")
    expect(page.locator("#why-title")).to_contain_text("Why not")
    expect(page.locator('.cell[data-state="human"]')).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#why")).not_to_have_attribute("data-cell", fields.cells["lymphocyte"])
    page.keyboard.press("ArrowRight")
    expect(page.locator("#why")).to_have_attribute("data-cell", fields.cells["lymphocyte"])
    page.keyboard.press("Escape")
    expect(page.locator("#why")).to_have_count(0)
    expect(page.locator(f"#cell-{fields.cells['lymphocyte']}")).to_be_visible()


def test_the_map_lies_where_the_cell_does(page_as: Callable[..., Page], fields: FieldCase) -> None:
    page = page_as("pathologist")
    open_why(page, fields, "neutrophil")
    layer = page.locator(".why-layer").first
    expect(layer).to_be_visible(timeout=60 * SECONDS)
    shown = str(page.locator(".why-picture").get_attribute("viewBox")).split()
    x, y, side, _ = (float(each) for each in shown)
    assert 65 <= x < 100 < 200 < x + side <= 235
    assert 65 <= y < 100 < 200 < y + side <= 235
    placed = [layer.get_attribute(name) for name in ("x", "y", "width", "height")]
    assert placed == ["65", "65", "170", "170"]


def test_a_cell_that_no_machine_named_says_so(
    page_as: Callable[..., Page], fields: FieldCase
) -> None:
    page = page_as("pathologist")
    page.goto(f"/cells/{fields.cells['red']}/why/")
    expect(page.get_by_text("No machine has named this cell")).to_be_visible()


def test_on_a_phone(page_as: Callable[..., Page], fields: FieldCase) -> None:
    page = page_as("pathologist", width=390, height=844)
    page.goto(f"/cases/{fields.case}/review/?cell={fields.cells['neutrophil']}")
    page.get_by_role("button", name="Why", exact=True).click()
    expect(page.locator(".why-layer").first).to_be_visible(timeout=60 * SECONDS)
    assert_fits(page)
    assert_accessible(page)
    keep_screenshot(page, "why-phone")


def test_without_scripts_the_plain_page_asks_and_shows(
    site: Site, browser: Browser, page_as: Callable[..., Page], sign_ins: Any, fields: FieldCase
) -> None:
    page_as("pathologist")
    context = browser.new_context(
        base_url=site.url, java_script_enabled=False, storage_state=sign_ins["pathologist"]
    )
    page = context.new_page()
    page.goto(f"/cells/{fields.cells['again']}/why/")
    page.get_by_role("button", name="Show both").click()
    deadline = time.monotonic() + 60
    while page.locator(".why-layer").count() == 0 and time.monotonic() < deadline:
        page.wait_for_timeout(300)
        page.reload()
    expect(page.locator(".why-layer")).to_have_count(1)
    page.get_by_role("link", name="LIME").click()
    page.get_by_role("button", name="Make LIME").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    context.close()
