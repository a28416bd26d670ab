"""The whole job in a browser: a case of 100 pictures, from registration to the signed PDF."""

import io
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect
from pypdf import PdfReader

from demo.people import PASSWORD
from ml.synthetic import render_cell

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

IMAGES = 100
MINUTE = 60_000


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
    technician.get_by_role("button", name="Submit case").click()
    # Nothing is reloaded by hand: the page itself tells when the classification has ended.
    expect(technician.get_by_role("heading", name="Waiting for a pathologist")).to_be_visible(
        timeout=3 * MINUTE
    )
    expect(technician.locator(".progress-words")).to_contain_text(f"{IMAGES} of {IMAGES} images")

    pathologist = page_as("pathologist")
    open_review(pathologist, accession)
    name_referred_cells(pathologist)
    write_interpretation(pathologist, "Relative neutrophilia. No blasts seen.")
    sign(pathologist)
    first, first_text = download_pdf(pathologist)
    check_report(first_text, accession, version=1)
    check_csv(pathologist, accession)

    correct_one_cell(pathologist)
    sign(pathologist)
    _, second_text = download_pdf(pathologist)
    check_report(second_text, accession, version=2)
    assert "CORRECTED" in second_text.upper()
    pathologist.get_by_role("link", name="Version 1").first.click()
    again, _ = download_pdf(pathologist)
    assert again == first, "version 1 stays as it was, byte for byte"

    administrator = page_as("administrator")
    administrator.goto("/administration/audit/")
    for sentence in ("Signed off", "Case submitted"):
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


def register_patient(page: Page, *, mrn: str, given: str) -> None:
    """Register a patient, and wait for her page: the bar at the top has a "New case" of its own."""
    page.goto("/patients/")
    page.get_by_role("link", name="Register patient").click()
    page.get_by_label("Medical record number").fill(mrn)
    page.get_by_label("Issuer").fill("HVDEMO")
    page.get_by_label("Family name").fill("Curie")
    page.get_by_label("Given name").fill(given)
    page.get_by_label("Birth date").fill("1967-11-07")
    page.get_by_label("Sex").select_option("female")
    page.get_by_role("button", name="Register patient").click()
    expect(page.get_by_role("heading", name="Patient record")).to_be_visible()


def open_case(page: Page) -> str:
    """Open an urgent case with an analyser WBC count; return its accession number."""
    received = datetime.now(UTC) - timedelta(minutes=30)
    page.get_by_role("main").get_by_role("link", name="New case").click()
    page.get_by_text("Urgent", exact=True).click()
    page.get_by_label("Ordering clinician").fill("Dr. Pierre Roux")
    page.get_by_label("Collected at").fill(f"{received - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    page.get_by_label("Received at").fill(f"{received:%Y-%m-%dT%H:%M}")
    page.get_by_label("WBC count").fill("7.20")
    page.get_by_label("Measured at").fill(f"{received:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Open case").click()
    heading = page.get_by_role("heading", level=1).inner_text()
    assert "HV" in heading
    return heading[heading.index("HV") :].split()[0]


def upload(page: Page, pictures: list[Path], tmp_path: Path) -> None:
    """Choose a hundred pictures at once, with one that is no picture among them."""
    broken = tmp_path / "notes.jpg"
    broken.write_text("not a picture")
    page.locator("#id_images").set_input_files([*pictures[:50], broken, *pictures[50:]])
    expect(page.locator("#images .tile")).to_have_count(IMAGES, timeout=3 * MINUTE)
    refused = page.locator(".transfer", has_text="notes.jpg")
    expect(refused).to_contain_text("not")


def open_review(page: Page, accession: str) -> None:
    """Scan the accession number into the search box and claim the case."""
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type(accession)
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/**")
    if "/review" not in page.url:
        page.get_by_role("link", name="Go to review").click()
    page.get_by_role("button", name="Start review").click()
    expect(page.locator("#review[data-editable]")).to_be_visible()


def name_referred_cells(page: Page) -> None:
    """Accept the machine's reading of each referred cell by keyboard, then undo and redo one."""
    referred = page.locator("#group-unresolved .cell")
    left = referred.count()
    for remaining in range(left - 1, -1, -1):
        page.keyboard.press("n")
        page.keyboard.press("a")
        expect(referred).to_have_count(remaining)
    if left:
        page.keyboard.press("u")
        expect(referred).to_have_count(1)
        page.keyboard.press("n")
        page.keyboard.press("a")
        expect(referred).to_have_count(0)


def write_interpretation(page: Page, text: str) -> None:
    """Type the interpretation; it saves itself."""
    page.locator("#comment").fill(text)
    expect(page.locator("[data-hook=comment-state]")).to_contain_text("Saved")


def sign(page: Page) -> None:
    """Go to the preview and sign: a wrong password changes nothing, the right one issues."""
    page.get_by_role("link", name="Sign").last.click()
    page.get_by_role("radio").first.check()
    page.locator("#id_password").fill("not the password")
    page.get_by_role("button", name="Sign and issue").click()
    expect(page.locator("#password-error")).to_be_visible()
    page.get_by_role("radio").first.check()
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Sign and issue").click()
    expect(page.get_by_text("Verified now")).to_be_visible(timeout=MINUTE)


def download_pdf(page: Page) -> tuple[bytes, str]:
    """Fetch the report's PDF as the browser would; return its bytes and its text."""
    address = page.get_by_role("link", name="Open the PDF").get_attribute("href")
    response = page.request.get(str(address))
    assert response.headers["content-type"] == "application/pdf"
    data = response.body()
    reader = PdfReader(io.BytesIO(data))
    texts = [part.extract_text() for part in reader.pages]
    for number, text in enumerate(texts, start=1):
        assert "E2E-1" in text, "the patient's number stands on every page"
        assert f"{number} of {len(texts)}" in " ".join(text.split())
    return data, "\n".join(texts)


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
    address = page.get_by_role("link", name="CSV").get_attribute("href")
    text = page.request.get(str(address)).text()
    assert accession in text
    assert "neutrophil" in text.lower()


def correct_one_cell(page: Page) -> None:
    """Open the signed report again with a reason, and call one neutrophil a lymphocyte."""
    page.get_by_role("link", name="Correct this report").click()
    page.get_by_label("Reason").fill("One cell was named wrongly.")
    page.get_by_role("button", name="Open for correction").click()
    expect(page.locator("#review[data-editable]")).to_be_visible()
    lymphocytes = page.locator("#group-lymphocyte .cell")
    before = lymphocytes.count()
    page.locator("#group-neutrophil .cell").first.click()
    page.keyboard.press("2")
    expect(lymphocytes).to_have_count(before + 1)
