"""The PDF's structure for screen readers (ISO 14289-1), read back with another library."""

import io
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

from pypdf import PdfReader

from reports import pdf
from tests.reports.contents import make_content, make_pictures, make_signature

CODED = {
    "verification_code": "7K2M9QXD04TVH8WB",
    "verification_address": "https://lab.example/verify/7K2M-9QXD-04TV-H8WB/",
}


@cache
def document() -> bytes:
    pictures, images = make_pictures(4)
    content = make_content(pictures=pictures).signed(make_signature(**CODED))
    return pdf.render_pdf(content, images)


def elements() -> list[Any]:
    root = PdfReader(io.BytesIO(document())).root_object["/StructTreeRoot"]
    return list(_walk(root))


def _walk(node: Any) -> Iterator[Any]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for item in node:
            yield from _walk(item)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node
        yield from _walk(node.get("/K", []))


def test_headings_tables_lists_and_figures_are_in_the_tree() -> None:
    kinds = [element["/S"] for element in elements()]

    assert kinds[0] == "/Document"
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") >= 5
    assert "/Table" in kinds
    assert "/L" in kinds


def test_no_heading_is_skipped() -> None:
    levels = [int(element["/S"][2:]) for element in elements() if element["/S"][1:2] == "H"
              and element["/S"][2:].isdigit()]  # fmt: skip

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_figure_has_words() -> None:
    figures = [element for element in elements() if element["/S"] == "/Figure"]

    assert len(figures) >= 4 + 7 + 1
    words = [str(figure["/Alt"]) for figure in figures]
    assert all(words)
    assert any("QR code that leads to https://lab.example" in text for text in words)


def test_table_cells_name_their_headers() -> None:
    cells = [element for element in elements() if element["/S"] == "/TD"]
    headers = {str(element["/ID"]) for element in elements() if "/ID" in element}

    named = [cell["/A"]["/Headers"] for cell in cells]
    assert all(len(names) >= 1 for names in named)
    assert {str(name) for names in named for name in names} <= headers


def test_claims_what_it_is() -> None:
    reader = PdfReader(io.BytesIO(document()))
    catalog: Any = reader.root_object
    xmp = catalog["/Metadata"].get_object().get_data().decode()

    assert "pdfuaid:part" in xmp
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert all("/FontFile" in str(_fonts(page)) for page in reader.pages)


def _fonts(page: Any) -> list[list[str]]:
    """Return the embedded programs of a page's fonts."""
    found = []
    for font in page["/Resources"]["/Font"].values():
        descendants = font.get_object().get("/DescendantFonts", [font])
        descriptor = descendants[0].get_object()["/FontDescriptor"].get_object()
        found.append([key for key in descriptor if key.startswith("/FontFile")])
    return found
