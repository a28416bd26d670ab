"""A whole slide in a browser: sent in parts, looked at, fields taken by the worker and by eye."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.steps import MINUTE, open_case, register_patient
from tests.e2e.test_pages import WIDTHS, assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]


def test_a_slide_becomes_fields(page_as: Callable[..., Page], smear: Path) -> None:
    page = page_as("technician")
    register_patient(page, mrn="E2E-SLIDE", given="Hélène")
    open_case(page)
    case_url = page.url
    send_over_a_poor_line(page, smear)

    row = page.locator(".slide-row")
    expect(row).to_contain_text("No field taken yet", timeout=MINUTE)
    expect(page.get_by_text("Take fields from the slide before submitting")).to_be_visible()
    row.get_by_role("link", name="smear.svs", exact=True).click()

    page.get_by_label("Fields of the monolayer").fill("3")
    page.get_by_role("button", name="Take fields").click()
    expect(page.locator("#slide-fields [data-box]")).to_have_count(3, timeout=MINUTE)
    expect(page.locator(".slide-box")).to_have_count(3)

    take_by_eye(page)
    slide_url = page.url
    page.goto(case_url)
    expect(row).to_contain_text("5 fields taken")
    expect(page.get_by_role("button", name="Submit case")).to_be_enabled()

    for name, (width, height) in WIDTHS.items():
        narrow = page_as("technician", width=width, height=height)
        for url, what in ((slide_url, "slide"), (case_url, "slide-case")):
            narrow.goto(url)
            narrow.wait_for_load_state("networkidle")
            assert_fits(narrow)
            assert_accessible(narrow, listed_too="slide-box")
            keep_screenshot(narrow, f"technician-{what}-{name}")


def send_over_a_poor_line(page: Page, smear: Path) -> None:
    """Choose the slide's file; the connection is lost during one of its parts."""
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if "offset=0" not in route.request.url and not lost:
            lost.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/api/slides/*/files/**", lose_once)
    page.locator("#id_images").set_input_files(smear)
    expect(page.get_by_text("1 of 1 added.")).to_be_visible(timeout=MINUTE)
    assert lost


def take_by_eye(page: Page) -> None:
    """Take the field in the frame, beside one that was taken, and one that is drawn."""
    page.locator("[data-locate]").first.click()
    canvas = page.locator(".field-canvas .openseadragon-canvas").first
    canvas.focus()
    for _ in range(12):
        canvas.press("ArrowDown")
    expect(page.locator("[data-command=take]")).to_be_enabled()
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Take this field").click()
    expect(page.locator("#slide-fields [data-box]")).to_have_count(4)

    page.get_by_role("button", name="Whole slide").click()
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Draw").click()
    sheet = page.locator(".slide-sheet").bounding_box()
    assert sheet
    left, top = sheet["x"] + sheet["width"] / 2, sheet["y"] + sheet["height"] / 2
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 90, top + 70, steps=4)
    page.mouse.up()
    expect(page.locator("#slide-fields [data-box]")).to_have_count(5)
