"""A reference count in the browser: two blind readers by keys, an arbiter, the result."""

from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site
from tests.e2e.shell import ask

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

KEYS = {"neutrophil": "1", "lymphocyte": "2", "monocyte": "3", "eosinophil": "4", "basophil": "5"}


def test_two_read_blind_a_third_decides_and_the_machine_is_held_against_them(
    site: Site, page_as: Callable[..., Page]
) -> None:
    ask(site, "reference_case", "make_readers()")
    made = ask(site, "reference_case", "make_case()")
    address = open_study(page_as("administrator"), made["accession"])
    truth = ask(site, "reference_case", f"tell({address.rstrip('/').rsplit('/', 1)[-1]!r})")
    first = start(page_as("reader1"), address)
    second = start(page_as("reader2", width=390, height=844), address)
    assert second.evaluate("document.documentElement.scrollWidth") <= 390
    assert second.goto(f"/cases/{made['case']}/review/").status == 404  # type: ignore[union-attr]
    read(first, truth)
    second.goto(f"{address}read/")
    read(second, ["basophil" if name == "eosinophil" else name for name in truth])
    arbiter = start(page_as("reader3"), address)
    expect(arbiter.locator("[data-proposed]")).to_have_count(2)
    read(arbiter, ["eosinophil"])
    expect(arbiter.get_by_role("heading", name="The machine against the reference")).to_be_visible()
    expect(arbiter.locator(".disputed li")).to_have_count(1)
    expect(arbiter.locator(".disputed")).to_contain_text("reader 2: Basophil")
    expect(arbiter.locator(".disputed")).to_contain_text("machine: Neutrophil")
    assert second.goto(f"/cases/{made['case']}/review/").status == 200  # type: ignore[union-attr]


def open_study(page: Page, accession: str) -> str:
    """Open a study; return its address."""
    page.goto("/reference-counts/")
    page.locator("#id_accession_number").fill(accession)
    page.get_by_role("button", name="Open", exact=True).click()
    link = page.get_by_role("link", name=accession, exact=True)
    return str(link.get_attribute("href"))


def start(page: Page, address: str) -> Page:
    """Take a seat."""
    page.goto(address)
    page.get_by_role("button", name="Start reading").or_(
        page.get_by_role("button", name="Arbitrate")
    ).click()
    expect(page.locator("#reading")).to_be_visible()
    return page


def read(page: Page, names: Sequence[str]) -> None:
    """Name each cell by its key; name the first one wrongly at first, go back and set it right."""
    expect(page.locator("#reading[data-ready]")).to_be_visible()
    page.keyboard.press("7")
    if len(names) > 1:
        page.keyboard.press("ArrowLeft")
    page.keyboard.press(KEYS[names[0]])
    for number, name in enumerate(names[1:], start=2):
        expect(page.locator("[data-hook=number]")).to_have_text(str(number))
        page.keyboard.press(KEYS[name])
    expect(page.locator("[data-hook=done]")).to_have_text(str(len(names)))
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Complete my reading").click()
    expect(page.locator("#reading")).to_have_count(0)
