"""A second opinion in the browser: referred, answered, quoted, signed; comments with a mention."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from demo.people import PASSWORD
from ml.synthetic import render_cell
from tests.e2e.steps import (
    MINUTE,
    download_pdf,
    name_referred_cells,
    open_case,
    open_review,
    register_patient,
    submit,
    upload,
)
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

IMAGES = 8
OPINION = "Reactive change; I see no blasts."


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """A few drawn cells."""
    paths = []
    for number in range(IMAGES):
        name = ("neutrophil", "lymphocyte")[number % 2]
        paths.append(tmp_path / f"curie-{number}.png")
        Image.fromarray(render_cell(name, seed=500 + number, size=160)).save(paths[-1])
    return paths


def test_an_opinion_is_asked_for_given_quoted_and_printed(
    page_as: Callable[..., Page], pictures: list[Path], tmp_path: Path
) -> None:
    technician = page_as("technician")
    register_patient(technician, mrn="E2E-OPINION", given="Bronisława")
    accession = open_case(technician)
    upload(technician, pictures, tmp_path)
    submit(technician, IMAGES)

    pathologist = page_as("pathologist")
    open_review(pathologist, accession)
    refer(pathologist)
    write_comment(pathologist)
    answer(page_as("consultant"), accession)

    pathologist.goto(pathologist.url.split("?")[0])
    name_referred_cells(pathologist)
    quote(pathologist)
    sign_with_words(pathologist)
    _, text = download_pdf(pathologist, "E2E-OPINION")
    words = " ".join(text.split())
    assert "Opinion of Cora Whitfield, MD PhD" in words, "quoted in the interpretation"
    assert "Non-final opinion of Cora Whitfield, MD PhD" in words, "printed beside it"

    technician.goto("/mentions/")
    expect(technician.get_by_text("Is this one smudged?")).to_be_visible()
    assert_accessible(technician)


def refer(page: Page) -> None:
    """Ask the outside consultant; a question that names the patient is refused."""
    page.get_by_role("tab", name="Discussion").click()
    page.get_by_text("Refer for an opinion").click()
    page.get_by_label("Consultant").select_option(label="Cora Whitfield, MD PhD")
    page.get_by_label("Your question").fill("Are these blasts?")
    assert_accessible(page)
    page.get_by_role("button", name="Refer", exact=True).click()
    expect(page.locator(".referral")).to_contain_text("Sent")
    expect(page.get_by_role("tab", name="Discussion")).to_have_attribute("aria-selected", "true")


def write_comment(page: Page) -> None:
    """Comment on the selected cell by keyboard, mentioning a colleague; its tile gets a sign."""
    page.locator(".cell").first.click()
    page.keyboard.press("t")
    page.keyboard.type("Is this one smudged? @Tar")
    expect(page.get_by_role("option", name="Tara Lindqvist")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".remark")).to_contain_text("Is this one smudged?")
    expect(page.locator(".remark-people")).to_contain_text("Tara Lindqvist")
    expect(page.locator(".cell[data-discussed]")).to_have_count(1)


def answer(page: Page, accession: str) -> None:
    """See the case without its identity, look at a cell, write, and give the opinion."""
    page.goto("/")
    assert page.url.endswith("/consultations/")
    page.get_by_role("main").get_by_role("link", name="Consultation").first.click()
    expect(page.get_by_text("Identity not shown")).to_be_visible()
    sent = page.content()
    for secret in ("Curie", "Bronisława", "E2E-OPINION", accession, "curie-", "smudged"):
        assert secret not in sent
    assert page.locator(".seen-cell img").first.evaluate("image => image.decode().then(() => true)")
    keep_screenshot(page, "consultation")
    assert_fits(page)
    assert_accessible(page)
    page.locator(".seen-cell").first.click()
    expect(page.locator("dialog.zoom image")).to_be_visible()
    page.keyboard.press("+")
    page.keyboard.press("Escape")
    page.get_by_label("What you see and think").fill(OPINION)
    expect(page.locator("#draft-state")).to_contain_text("Draft saved")
    page.get_by_role("button", name="Give opinion").click()
    expect(page.locator(".opinion")).to_contain_text(OPINION)
    assert page.request.get("/patients/").status == 403


def quote(page: Page) -> None:
    """Take the opinion into the interpretation, which saves itself."""
    page.get_by_role("tab", name="Discussion").click()
    expect(page.locator(".referral")).to_contain_text("Answered")
    page.get_by_role("button", name="Quote").click()
    expect(page.locator("#comment")).to_have_value(f"Opinion of Cora Whitfield, MD PhD, "
                                                   f"{today(page)}: “{OPINION}”")  # fmt: skip
    expect(page.locator("[data-hook=comment-state]")).to_contain_text("Saved ")


def today(page: Page) -> str:
    """The day as the opinion's quotation writes it."""
    value = page.locator("[data-hook=quote]").get_attribute("data-words") or ""
    return value.split(": ")[0].rsplit(", ", 1)[1]


def sign_with_words(page: Page) -> None:
    """Have the opinion's words printed, and sign."""
    page.get_by_role("link", name="Sign").last.click()
    page.get_by_role("button", name="Print the words").click()
    expect(page.get_by_text("Words printed")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("radio").first.check()
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Sign and issue").click()
    expect(page.get_by_text("Verified now")).to_be_visible(timeout=MINUTE)
