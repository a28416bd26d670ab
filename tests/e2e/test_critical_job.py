"""A critical result in a browser: a blast is named, and nothing is signed before it was told."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from ml.synthetic import render_cell
from tests.e2e.steps import (
    MINUTE,
    download_pdf,
    name_referred_cells,
    open_case,
    open_review,
    record_call,
    register_patient,
    sign,
    submit,
    upload,
)

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

IMAGES = 8


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few drawn cells."""
    folder = tmp_path_factory.mktemp("cells")
    paths = []
    for number in range(IMAGES):
        path = folder / f"cell-{number:03d}.png"
        Image.fromarray(render_cell("lymphocyte", seed=900 + number, size=160)).save(path)
        paths.append(path)
    return paths


def test_a_blast_holds_the_signature_up_until_it_was_told(
    page_as: Callable[..., Page], pictures: list[Path], tmp_path: Path
) -> None:
    technician = page_as("technician")
    register_patient(technician, mrn="E2E-CRIT", given="Sophie")
    accession = open_case(technician)
    upload(technician, pictures, tmp_path)
    submit(technician, IMAGES)

    page = page_as("pathologist")
    open_review(page, accession)
    name_referred_cells(page)
    page.locator("[data-panel=cells] .cell").first.click()
    page.keyboard.press("7")
    banner = page.locator("section.critical")
    expect(banner).to_contain_text("Blast 1 seen", timeout=MINUTE)
    expect(banner).to_contain_text("call due in")
    expect(page.get_by_role("button", name="Sign off")).to_be_disabled()

    review = page.url
    page.goto(review.replace("/cases/", "/reports/cases/").replace("/review/", "/sign-off/"))
    expect(page.get_by_text("A critical result was not told yet")).to_be_visible()
    expect(page.get_by_role("button", name="Sign and issue")).to_be_disabled()
    page.goto(review)
    record_call(page)
    expect(page.locator("section.critical-told")).to_be_visible()
    sign(page)
    _, text = download_pdf(page, "E2E-CRIT")
    words = " ".join(text.split())
    for expected in ("Critical results", "Dr. Rossi", "Told and read back"):
        assert expected in words
