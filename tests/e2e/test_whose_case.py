"""Two records of one person, and a case of the wrong patient, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import open_case, register_patient
from tests.e2e.test_pages import assert_accessible, assert_fits

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]


def find(page: Page, text: str) -> None:
    page.get_by_role("main").get_by_role("searchbox").fill(text)
    page.get_by_role("main").get_by_role("button", name="Search").click()


def test_records_are_merged_and_the_merge_taken_back(page_as: Callable[..., Page]) -> None:
    desk = page_as("technician")
    register_patient(desk, mrn="MERGE-STAYS", given="Irene")
    register_patient(desk, mrn="MERGE-GOES", given="Ireneh")
    accession = open_case(desk)

    page = page_as("administrator")
    page.goto("/patients/")
    page.get_by_label("MRN, name or birth date").fill("MERGE-STAYS")
    page.get_by_role("link", name="Curie, Irene", exact=True).click()
    page.get_by_role("link", name="Merge…").click()
    assert_accessible(page)
    find(page, "MERGE-GOES")
    page.get_by_role("link", name="Compare with MERGE-GOES of HVDEMO").click()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_text("MRN MERGE-STAYS, HVDEMO", exact=True).click()
    page.get_by_label("Reason").fill("One person, by identity card.")
    page.get_by_role("button", name="Merge the records").click()
    expect(page.get_by_role("heading", name="Merged records")).to_be_visible()
    expect(page.get_by_role("link", name=accession)).to_be_visible()
    assert_accessible(page)

    page.get_by_role("link", name="Take back…").click()
    assert_accessible(page)
    page.get_by_label("Reason").fill("Two people after all.")
    page.get_by_role("button", name="Take the merge back").click()
    expect(page.get_by_text("Ireneh").first).to_be_visible()
    expect(page.get_by_role("link", name=accession)).to_be_visible()


def test_a_case_goes_to_the_right_patient(page_as: Callable[..., Page]) -> None:
    page = page_as("technician")
    register_patient(page, mrn="RIGHT-1", given="Eve")
    register_patient(page, mrn="WRONG-1", given="Wanda")
    open_case(page)
    page.get_by_role("link", name="Wrong patient…").click()
    assert_accessible(page)
    find(page, "RIGHT-1")
    page.get_by_role("link", name="Choose RIGHT-1 of HVDEMO").click()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Reason").fill("The label was on the wrong tube.")
    page.get_by_role("button", name="Give the case to this patient").click()
    expect(page.get_by_text("Patient corrected.")).to_be_visible()
    expect(page.get_by_role("link", name="Curie, Eve").first).to_be_visible()
