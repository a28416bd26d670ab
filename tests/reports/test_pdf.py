"""The report as PDF: text on every page, same bytes every time, nothing fetched from elsewhere."""

import io
import re
from dataclasses import replace
from functools import cache

import pytest
from pypdf import PdfReader

from reports import pdf
from reports.content import Amendment, Change, Coded, ReportContent
from reports.exceptions import DocumentFailed
from tests.reports.contents import RECEIVED, make_content, make_pictures, make_signature


def pages_of(data: bytes) -> list[str]:
    return [re.sub(r"\s+", " ", page.extract_text()) for page in PdfReader(io.BytesIO(data)).pages]


@cache
def signed_document() -> tuple[ReportContent, bytes]:
    pictures, images = make_pictures(24)
    content = make_content(pictures=pictures).signed(make_signature())
    return content, pdf.render_pdf(content, images)


def test_every_page_carries_identifiers_number_version_and_hash() -> None:
    content, data = signed_document()

    pages = pages_of(data)

    assert len(pages) >= 2
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "Varga, István" in text
        assert "born 14 Jun 1957" in text
        assert "DEMO-1002" in text
        assert "HV26-000002W" in text
        assert "Final report, version 1" in text
        assert content.content_sha256[:4] in text
        assert "demonstration, not for clinical use" in text


def test_says_all_that_a_laboratory_report_has_to_say() -> None:
    content, data = signed_document()
    text = " ".join(pages_of(data))

    for needed in (
        "Haematology Laboratory, St Anne's Hospital",
        "12 Harbour Road",
        "Venous blood, EDTA",
        "Satisfactory",
        "20 Nov 2026, 07:30 UTC",
        "Marked leukocytosis with 17 % blasts",
        "28.5–48.3",  # noqa: RUF001
        "10.79",
        "2.0–7.5",  # noqa: RUF001
        "↑ High",
        "unconfirmed",
        "hematovision-cells 1.0.0",
        "107 on 107 images",
        "9 referred and decided, 4 others changed",
        "Leila Haddad, MD",
        "Approval.",
        "20 Nov 2026, 10:10:17 UTC",
        content.signature.report_id if content.signature else "",
    ):
        assert needed in text, needed
    assert content.content_sha256 in text.replace(" ", "")


def test_same_content_gives_the_same_bytes() -> None:
    content, data = signed_document()

    assert pdf.render_pdf(content, make_pictures(24)[1]) == data


def test_is_tagged_titled_and_in_a_language() -> None:
    _, data = signed_document()
    reader = PdfReader(io.BytesIO(data))

    assert reader.metadata is not None
    assert reader.metadata.title == "Blood smear report HV26-000002W, version 1"
    assert "Varga" not in str(reader.metadata)
    assert reader.metadata.creation_date is not None
    catalog = reader.root_object
    assert str(catalog["/Lang"]) == "en"
    assert "/Marked" in str(catalog["/MarkInfo"])
    assert "/StructTreeRoot" in catalog


def test_an_unsigned_draft_says_so() -> None:
    text = " ".join(pages_of(pdf.render_pdf(make_content(), {})))

    assert "NOT SIGNED" in text
    assert "Preview of version 1, not signed" in text
    assert "Electronically signed" not in text


def test_a_correction_is_marked_with_reason_and_changes() -> None:
    amendment = Amendment(
        1,
        "a" * 64,
        RECEIVED,
        "Two cells misread.",
        (Change("Blast", "17 (17.0 %)", "19 (19.0 %)"),),
    )
    content = make_content(
        version=2, status=Coded("corrected", "Corrected"), amendment=amendment
    ).signed(make_signature())

    text = " ".join(pages_of(pdf.render_pdf(content, {})))

    assert "CORRECTED REPORT, version 2" in text
    assert "Two cells misread." in text
    assert "Blast 17 (17.0 %) 19 (19.0 %)" in text
    assert "Corrected report, version 2" in text


def test_text_of_people_is_never_markup() -> None:
    content = make_content(interpretation="<img src='http://example.com/x.png'> <b>bold</b> & more")

    text = " ".join(pages_of(pdf.render_pdf(content, {})))

    assert "<b>bold</b> & more" in text


def test_refuses_a_picture_that_is_missing() -> None:
    pictures, images = make_pictures(2)
    images.popitem()

    with pytest.raises(DocumentFailed, match="1 of the chosen cell images"):
        pdf.render_pdf(make_content(pictures=pictures), images)


@pytest.mark.parametrize(
    "address", ["http://example.com/x.png", "https://example.com/x.css", "file:///etc/passwd"]
)
def test_fetches_nothing_but_our_own_files(address: str) -> None:
    with pytest.raises(ValueError, match=r"disallowed|Not a static file"):
        pdf._fetcher().fetch(address)


def test_without_white_count_there_are_no_absolute_counts() -> None:
    rows = tuple(replace(row, absolute=None) for row in make_content().differential)

    text = " ".join(pages_of(pdf.render_pdf(make_content(white_count=None, differential=rows), {})))

    assert "Not known: no absolute counts." in text
    assert "10.79" not in text
