"""A restricted record in the browser: shut, opened in an emergency, judged, open again."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import open_case, register_patient
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

NAME = "Curie, Gabrielle"


def test_a_restricted_record_is_opened_in_an_emergency_and_judged(
    page_as: Callable[..., Page],
) -> None:
    technician = page_as("technician")
    register_patient(technician, mrn="E2E-GLASS", given="Gabrielle")
    record = technician.url
    accession = open_case(technician)
    administrator = page_as("administrator")
    restrict(administrator, record)

    pathologist = page_as("pathologist", width=390)
    meet_the_door(pathologist, accession)
    open_in_emergency(pathologist)
    judge(administrator)
    lift(administrator)


def restrict(page: Page, record: str) -> None:
    page.goto(record)
    page.get_by_role("link", name="Restrict", exact=True).click()
    page.get_by_label("Who it is").select_option("public")
    page.get_by_label("Reason").fill("Known to everybody.")
    look_at(page, "restrict")
    page.get_by_role("button", name="Restrict the record").click()
    expect(page.get_by_text("The record is restricted from now on.")).to_be_visible()
    look_at(page, "restriction")


def meet_the_door(page: Page, accession: str) -> None:
    page.goto("/")
    page.locator(".topbar-toggle").click()
    page.locator("#global-search").fill(accession)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Restricted record")).to_be_visible()
    assert "Curie" not in page.content()
    look_at(page, "restricted")


def open_in_emergency(page: Page) -> None:
    page.get_by_label("Reason", exact=False).first.select_option("treatment")
    page.get_by_role("button", name="Open the record").click()
    expect(page.get_by_text("Please correct the marked fields.")).to_be_visible()
    page.get_by_label("In your words").fill("She is bleeding in theatre.")
    page.get_by_role("button", name="Open the record").click()
    expect(page.get_by_text("Each look is recorded")).to_be_visible()
    expect(page.get_by_text(NAME).first).to_be_visible()


def judge(page: Page) -> None:
    page.goto("/notices/")
    page.get_by_role("link", name="A restricted record was opened in an emergency").first.click()
    expect(page.get_by_text("She is bleeding in theatre.").first).to_be_visible()
    look_at(page, "emergency")
    page.get_by_label("Justified", exact=True).check()
    page.get_by_label("Why").fill("On call in theatre.")
    page.get_by_role("button", name="Record the judgement").click()
    expect(page.get_by_text("Your judgement was recorded.")).to_be_visible()
    page.goto("/administration/emergencies/")
    look_at(page, "emergencies")


def lift(page: Page) -> None:
    page.goto("/administration/restricted/")
    look_at(page, "restrictions")
    page.get_by_role("row", name="in force").get_by_role("link").first.click()
    page.locator("#lift_reason").fill("No longer needed.")
    page.get_by_role("button", name="Lift", exact=True).click()
    expect(page.get_by_text("The restriction was lifted.")).to_be_visible()


def look_at(page: Page, name: str) -> None:
    assert_accessible(page)
    assert_fits(page)
    keep_screenshot(page, name)
