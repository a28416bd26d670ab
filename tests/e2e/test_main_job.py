"""The whole job in a browser: a case of 100 pictures, from registration to the signed PDF."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from ml.synthetic import render_cell
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

IMAGES = 100


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A hundred single cells: real ones where HEMATOVISION_DATA has them, else drawn ones."""
    data = os.environ.get("HEMATOVISION_DATA")
    if data and (Path(data) / "pbc").is_dir():
        return _real_cells(Path(data) / "pbc")
    folder = tmp_path_factory.mktemp("cells")
    paths = []
    for number in range(IMAGES):
        cell_class = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")[number % 4]
        path = folder / f"cell-{number:03d}.png"
        Image.fromarray(render_cell(cell_class, seed=number, size=160)).save(path)
        paths.append(path)
    return paths


def _real_cells(folder: Path) -> list[Path]:
    shares = {"neutrophil": 60, "lymphocyte": 26, "monocyte": 6, "eosinophil": 4, "ig": 2}
    chosen = [
        path
        for name, count in shares.items()
        for path in sorted((folder / name).glob("*.webp"))[:count]
    ]
    rest = sorted((folder / "basophil").glob("*.webp"))[: IMAGES - len(chosen)]
    return chosen + rest


def test_a_case_goes_from_registration_to_a_corrected_report(
    page_as: Callable[..., Page], pictures: list[Path], tmp_path: Path
) -> None:
    technician = page_as("technician")
    register_patient(technician, mrn="E2E-1", given="Marie")
    accession = open_case(technician)
    upload(technician, pictures, tmp_path)
    submit(technician, IMAGES)

    pathologist = page_as("pathologist")
    open_review(pathologist, accession)
    name_referred_cells(pathologist)
    write_interpretation(pathologist, "Relative neutrophilia. No blasts seen.")
    sign(pathologist)
    first, first_text = download_pdf(pathologist, "E2E-1")
    check_report(first_text, accession, version=1)
    check_csv(pathologist, accession)

    correct_one_cell(pathologist)
    sign(pathologist)
    _, second_text = download_pdf(pathologist, "E2E-1")
    check_report(second_text, accession, version=2)
    assert "CORRECTED" in second_text.upper()
    pathologist.get_by_role("link", name="Version 1").first.click()
    again, _ = download_pdf(pathologist, "E2E-1")
    assert again == first, "version 1 stays as it was, byte for byte"

    administrator = page_as("administrator")
    administrator.goto("/administration/audit/")
    administrator.get_by_label("About").fill(accession)
    for sentence in ("Signed off", "Case submitted"):
        administrator.get_by_label("What").select_option(label=sentence)
        administrator.get_by_role("button", name="Filter").click()
        expect(administrator.locator("li strong", has_text=sentence).first).to_be_visible()


def test_files_chosen_before_the_page_is_ready_are_not_lost(
    page_as: Callable[..., Page], pictures: list[Path]
) -> None:
    technician = page_as("technician")
    held: list[Route] = []
    technician.route("**/upload*.js", lambda route: held.append(route))  # noqa: PLW0108
    register_patient(technician, mrn="E2E-2", given="Irène")
    open_case(technician)
    technician.locator("#id_images").set_input_files(pictures[:2])
    (script,) = held
    script.continue_()
    expect(technician.locator("#images .tile")).to_have_count(2, timeout=MINUTE)


def test_the_submitting_technician_finds_no_way_to_review_or_sign(
    page_as: Callable[..., Page],
) -> None:
    technician = page_as("technician", width=390, height=844)
    technician.goto("/")
    expect(technician.get_by_role("button", name="Start review")).to_have_count(0)
    for tab in ("/administration/", "/administration/audit/"):
        response = technician.request.get(tab)
        assert response.status in (403, 404)


def check_report(text: str, accession: str, *, version: int) -> None:
    """Look for what the law and the laboratory want on paper."""
    words = " ".join(text.split())
    for expected in (
        accession,
        "Curie",
        "Leila Haddad",
        "Neutrophil",
        "95",
        "No blasts seen",
        "cells8-mobilenetv2",
    ):
        assert expected in words
    assert f"ersion {version}" in words


def check_csv(page: Page, accession: str) -> None:
    """The table says the same as the paper."""
    page.locator("summary", has_text="Data").click()
    address = page.get_by_role("link", name="CSV").get_attribute("href")
    text = page.request.get(str(address)).text()
    assert accession in text
    assert "neutrophil" in text.lower()


def correct_one_cell(page: Page) -> None:
    """Open the signed report again with a reason, and call one neutrophil a lymphocyte."""
    page.get_by_role("link", name="Correct or add to it").click()
    page.get_by_label("Reason").fill("One cell was named wrongly.")
    page.get_by_role("button", name="Open for correction").click()
    expect(page.locator("#review[data-editable][data-ready]")).to_be_visible()
    lymphocytes = page.locator("#group-lymphocyte .cell")
    before = lymphocytes.count()
    page.locator("#group-neutrophil .cell").first.click()
    page.keyboard.press("2")
    expect(lymphocytes).to_have_count(before + 1)
