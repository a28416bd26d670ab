"""A reader check in the browser: known cells are taken, a check is dealt, named by keys, scored."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site
from tests.e2e.shell import ask
from tests.e2e.test_pages import assert_accessible, assert_fits
from tests.e2e.test_reference_count import KEYS

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]


def test_a_reader_is_dealt_known_cells_names_them_and_sees_how_it_went(
    site: Site, page_as: Callable[..., Page]
) -> None:
    title = ask(site, "check_cells", "make_set()")
    keeper = page_as("administrator")
    take_cells(keeper, title)
    set_ten_cells(keeper)
    keeper.get_by_role("button", name="Deal a check to Noor Checked").click()
    expect(keeper.get_by_role("row", name="Noor Checked")).to_contain_text("due on")
    assert_accessible(keeper)
    truth = ask(site, "check_cells", "tell()")
    reader = page_as("checked", width=390, height=844)
    reader.goto("/quality/checks/")
    reader.get_by_role("link", name="Name the cells").click()
    expect(reader.locator("#reading[data-ready]")).to_be_visible()
    assert_fits(reader)
    reader.keyboard.press("5")
    for number, name in enumerate(truth[1:], start=2):
        expect(reader.locator("[data-hook=number]")).to_have_text(str(number))
        reader.keyboard.press(KEYS[name])
    expect(reader.locator("[data-hook=done]")).to_have_text("10")
    reader.once("dialog", lambda dialog: dialog.accept())
    reader.get_by_role("button", name="Complete the check").click()
    expect(reader.get_by_text("9 of 10 cells named as agreed")).to_be_visible()
    expect(reader.locator(".disputed li")).to_contain_text("you said basophil")
    assert_accessible(reader)
    assert_fits(reader)
    keeper.reload()
    expect(keeper.get_by_role("row", name="Noor Checked")).to_contain_text("90.0 %")


def take_cells(page: Page, title: str) -> None:
    """Take the cells of a set from the laboratory's menu on."""
    page.goto("/quality/checks/")
    page.get_by_role("link", name="Known cells", exact=True).click()
    page.get_by_role("button", name=f"Take the agreed cells of Labelled set {title}").click()
    expect(page.get_by_role("heading", name="12 known cells")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Reader checks", exact=True).first.click()


def set_ten_cells(page: Page) -> None:
    """Have a check hold ten cells."""
    page.get_by_role("link", name="Rules", exact=True).click()
    page.get_by_label("Cells of a check").fill("10")
    page.get_by_label("Why").fill("Few cells are known yet.")
    page.get_by_role("button", name="Set rules").click()
    expect(page.get_by_text("not by themselves; 10 cells")).to_be_visible()
