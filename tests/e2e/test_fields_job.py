"""A case of thirty real fields in a browser: uploaded, read, reviewed, signed."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.steps import (
    MINUTE,
    download_pdf,
    name_referred_cells,
    open_case,
    open_review,
    register_patient,
    sign,
    submit,
    upload,
    write_interpretation,
)

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

FIELDS = 30
OVERLAPPING = ("BloodImage_00233.jpg", "BloodImage_00254.jpg")
"""Two fields that show the whole of the same lymphocyte."""


@pytest.fixture(scope="module")
def fields() -> list[Path]:
    """Thirty fields of BCCD, two of which overlap."""
    folder = Path(os.environ.get("HEMATOVISION_DATA", ""), "bccd", "images")
    if not folder.is_dir():
        pytest.skip("needs BCCD: set HEMATOVISION_DATA to the folder of the image sets")
    pair = [folder / name for name in OVERLAPPING]
    others = [path for path in sorted(folder.glob("*.jpg")) if path not in pair]
    return [*others[: FIELDS - 2], *pair]


def test_thirty_fields_become_a_signed_differential(
    page_as: Callable[..., Page], fields: list[Path], tmp_path: Path
) -> None:
    technician = page_as("technician")
    register_patient(technician, mrn="E2E-3", given="Ève")
    accession = open_case(technician)
    upload(technician, fields, tmp_path)
    expect(technician.locator("#images").get_by_text("It is one cell")).to_have_count(FIELDS)
    submit(technician, FIELDS)
    expect(technician.locator(".progress-panel")).to_contain_text("of 100 leukocytes counted")

    pathologist = page_as("pathologist")
    open_review(pathologist, accession)
    expect(pathologist.locator("#group-repeat .cell")).not_to_have_count(0)
    counted = leukocytes(pathologist)
    count_the_repeat_and_take_it_back(pathologist, counted)
    name_referred_cells(pathologist)
    assert 20 <= leukocytes(pathologist) <= 40, "a field of BCCD shows one white cell, seldom two"
    write_interpretation(pathologist, "No blasts seen.")
    sign(pathologist)
    _, text = download_pdf(pathologist, "E2E-3")
    words = " ".join(text.split())
    for expected in (accession, "detector-mobilenetv2", "30 fields", "seen twice", "whole fields"):
        assert expected in words


def leukocytes(page: Page) -> int:
    """The number of white cells that the summary counts."""
    found = re.match(r"(\d+)", page.locator("#summary .aside").first.inner_text())
    assert found
    return int(found[1])


def count_the_repeat_and_take_it_back(page: Page, counted: int) -> None:
    """Overrule that a cell was seen already, then undo."""
    page.locator("#group-repeat .cell").first.click()
    page.get_by_role("button", name="Another cell").click()
    summary = page.locator("#summary .aside").first
    expect(summary).to_contain_text(f"{counted + 1}", timeout=MINUTE)
    page.keyboard.press("u")
    expect(summary).to_contain_text(f"{counted} of")
