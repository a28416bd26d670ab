"""A field that comes as DICOM, in the panel for uploads: taken, or refused in words."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ml.synthetic import render_field as draw_field
from reports.dicom.documents import study_of, subject_of
from reports.dicom.fields import Picture, render_field
from tests.e2e.steps import MINUTE, open_case, register_patient
from tests.e2e.test_pages import WIDTHS, assert_accessible, assert_fits, keep_screenshot
from tests.reports.contents import RECEIVED, make_content
from tests.reports.test_dicom import IMAGE

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

MRN = "E2E-DICOM"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A field of the patient's, the same under another's name, and half of it."""
    folder = tmp_path_factory.mktemp("dicom")
    whole = dicom_of("Curie")
    contents = {
        "field.dcm": whole,
        "other-patient.dcm": dicom_of("Meitner"),
        "half.dcm": whole[: len(whole) // 2],
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in contents]


def dicom_of(family_name: str) -> bytes:
    """Return a drawn field of 0.1 µm a pixel, of a 100x lens."""
    content = make_content()
    subject = replace(
        subject_of(content), mrn=MRN, family_name=family_name, given_name="Lise",
        birth_date=date(1967, 11, 7), sex="female",
    )  # fmt: skip
    pixels = draw_field(seed=31, width=640, height=480, red_cell=60)
    picture = Picture(IMAGE, 1, "field", RECEIVED, "Blood", "Giemsa", 0.1, 100.0)
    return render_field(picture, pixels, subject, study_of(content))


def test_a_dicom_field_is_taken_and_what_does_not_belong_here_is_refused(
    page_as: Callable[..., Page], files: list[Path]
) -> None:
    page = page_as("technician")
    register_patient(page, mrn=MRN, given="Lise")
    open_case(page)
    page.locator("#id_images").set_input_files(files)
    tile = page.locator("#images .tile")
    expect(tile).to_have_count(1, timeout=MINUTE)
    expect(tile).to_contain_text("field.dcm")
    expect(tile).to_contain_text("DICOM")
    expect(tile.get_by_role("button", name="It is one cell")).to_be_visible()
    expect(page.locator(".transfers-summary")).to_contain_text("1 of 3 added · 2 not added")
    refused = page.locator(".transfer", has_text="other-patient.dcm")
    expect(refused).to_contain_text("family name")
    expect(refused).not_to_contain_text("Meitner")
    expect(page.locator(".transfer", has_text="half.dcm")).to_contain_text("damaged")
    drawn = "image => image.complete && image.naturalWidth > 0"
    page.wait_for_function(f"({drawn})(document.querySelector('#images .tile img'))")
    for name, (width, height) in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        keep_screenshot(page, f"technician-dicom-field-{name}")
        assert_fits(page)
        assert_accessible(page)
