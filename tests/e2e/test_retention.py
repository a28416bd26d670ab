"""A retention rule from proposal to approval, and a record under legal hold, in the browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import open_case, register_patient
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes]


def test_a_rule_is_approved_by_another_and_a_record_is_held(page_as: Callable[..., Page]) -> None:
    administrator = page_as("administrator")
    propose(administrator)
    approve(page_as("pathologist", width=390))
    technician = page_as("technician")
    register_patient(technician, mrn="E2E-HOLD", given="Ottilie")
    record = technician.url
    open_case(technician)
    hold(administrator, record)
    expect(technician.get_by_text("Legal hold")).to_have_count(0)
    technician.reload()
    expect(technician.get_by_text("Nothing of this record may be removed")).to_be_visible()
    expect(technician.get_by_text("3 O 12/26")).to_have_count(0)
    look_at_disposals(administrator)
    retire(administrator)


def propose(page: Page) -> None:
    page.goto("/administration/retention/")
    look_at(page, "retention")
    page.get_by_role("link", name="Propose a rule").click()
    page.get_by_label("Records").select_option("slides")
    page.get_by_label("Counted from").select_option("signed")
    page.get_by_label("Kept for").fill("1")
    page.get_by_label("Unit").select_option("years")
    page.get_by_label("At least, by law or contract").fill("2")
    page.get_by_label("Where that stands").fill("Made up for this test")
    page.get_by_label("Why this long").fill("Policy 7")
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_text("This is shorter than the least of 2 years.")).to_be_visible()
    look_at(page, "retention-rule-new")
    page.get_by_label("Kept for").fill("10")
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_text("somebody else has to approve it")).to_be_visible()
    look_at(page, "retention-rule")


def approve(page: Page) -> None:
    page.goto("/administration/retention/")
    assert_fits(page)
    page.get_by_role("link", name="10 years from signing of the last version").click()
    page.get_by_role("button", name="Approve in my name").click()
    expect(page.get_by_text("Approved in your name.")).to_be_visible()


def hold(page: Page, record: str) -> None:
    page.goto(record)
    page.get_by_role("link", name="Legal hold…").click()
    page.get_by_label("Reference").fill("3 O 12/26")
    page.get_by_label("Reason").fill("A claim was announced.")
    look_at(page, "legal-hold-new")
    page.get_by_role("button", name="Put the hold").click()
    expect(page.get_by_text("somebody else has to lift it")).to_be_visible()
    look_at(page, "legal-hold")
    page.goto("/administration/legal-holds/")
    look_at(page, "legal-holds")


def look_at_disposals(page: Page) -> None:
    page.goto("/administration/retention/disposals/")
    look_at(page, "disposals")
    page.get_by_role("link", name="Whole slides", exact=True).click()
    expect(page.get_by_text("Nothing is due")).to_be_visible()
    look_at(page, "disposals-due")


def retire(page: Page) -> None:
    page.goto("/administration/retention/")
    page.get_by_role("link", name="10 years from signing of the last version").click()
    page.get_by_text("Retire", exact=True).click()
    page.get_by_label("Why?").fill("Only a test.")
    page.get_by_role("button", name="Retire this version").click()
    expect(page.get_by_text("Retired: it rules no more.")).to_be_visible()


def look_at(page: Page, name: str) -> None:
    assert_accessible(page)
    assert_fits(page)
    keep_screenshot(page, name)
