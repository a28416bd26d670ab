"""The steps of the daily work, taken in a browser as their users take them."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect
from pypdf import PdfReader

from demo.people import PASSWORD

MINUTE = 60_000


def register_patient(page: Page, *, mrn: str, given: str) -> None:
    """Register a patient, and wait for her page: the bar at the top has a "New case" of its own.

    All tests share one site: ``mrn`` and ``given`` are no other test's, or the page asks whether
    the two are the same person.
    """
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
    """Choose many pictures at once, with one that is no picture among them."""
    broken = tmp_path / "notes.jpg"
    broken.write_text("not a picture")
    half = len(pictures) // 2
    page.locator("#id_images").set_input_files([*pictures[:half], broken, *pictures[half:]])
    expect(page.locator("#images .tile")).to_have_count(len(pictures), timeout=3 * MINUTE)
    refused = page.locator(".transfer", has_text="notes.jpg")
    expect(refused).to_contain_text("not")


def submit(page: Page, images: int) -> None:
    """Submit; nothing is reloaded by hand: the page itself tells when classification has ended."""
    page.get_by_role("button", name="Submit case").click()
    expect(page.get_by_role("heading", name="Waiting for a pathologist")).to_be_visible(
        timeout=3 * MINUTE
    )
    expect(page.locator(".progress-words")).to_contain_text(f"{images} of {images} images")


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
    expect(page.locator("#review[data-editable][data-ready]")).to_be_visible()


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


def record_call(page: Page) -> None:
    """Fill in the call about a critical result from the banner, mostly by keyboard."""
    page.locator("#critical-call > summary").click()
    page.locator("#id_recipient_name").fill("Dr. Rossi")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("Physician on call")
    page.get_by_label("Told and read back").check()
    page.get_by_role("button", name="Record the call").click()
    expect(page.get_by_text("The call was recorded.")).to_be_visible()


def sign(page: Page) -> None:
    """Go to the preview and sign: a wrong password changes nothing, the right one issues.

    A critical result is told first.
    """
    if page.locator("section.critical:not(.critical-told)").count():
        record_call(page)
    page.get_by_role("link", name="Sign").last.click()
    page.get_by_role("radio").first.check()
    page.locator("#id_password").fill("not the password")
    page.get_by_role("button", name="Sign and issue").click()
    expect(page.locator("#password-error")).to_be_visible()
    page.get_by_role("radio").first.check()
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Sign and issue").click()
    expect(page.get_by_text("Verified now")).to_be_visible(timeout=MINUTE)


def download_pdf(page: Page, mrn: str) -> tuple[bytes, str]:
    """Fetch the report's PDF as the browser would; return its bytes and its text."""
    address = page.get_by_role("link", name="Open the PDF").get_attribute("href")
    response = page.request.get(str(address))
    assert response.headers["content-type"] == "application/pdf"
    data = response.body()
    reader = PdfReader(io.BytesIO(data))
    texts = [part.extract_text() for part in reader.pages]
    for number, text in enumerate(texts, start=1):
        assert mrn in text, "the patient's number stands on every page"
        assert f"{number} of {len(texts)}" in " ".join(text.split())
    return data, "\n".join(texts)
