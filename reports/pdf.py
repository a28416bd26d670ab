"""The report as PDF and as the same document on screen: pure functions of the signed content.

The same content gives the same bytes: dates come from the signature, nothing is drawn at random,
and nothing is fetched but our own style sheets and fonts.
"""

import base64
import logging
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from reports.content import CellPicture, Reference, ReportContent
from reports.enums import Paper
from reports.exceptions import DocumentFailed
from reports.layouts import sections_of

if TYPE_CHECKING:
    from weasyprint.urls import URLFetcher

logger = logging.getLogger(__name__)

LETTER = ("css/report-letter.css",)
STYLE_SHEETS = ("css/report-document.css", "css/report-print.css")
# Tagged for screen readers, with title and language (ISO 14289-1).
PDF_VARIANT = "pdf/ua-1"


def render_pdf(content: ReportContent, images: Mapping[str, bytes]) -> bytes:
    """Return the PDF of ``content``; ``images`` as `document_context` wants them.

    Raises:
        DocumentFailed: the document can't be made here, or a picture of a cell is missing.
    """
    context = document_context(content, images)
    sheets = STYLE_SHEETS + LETTER * (context["paper"] == Paper.LETTER)
    context["style_sheets"] = [_static_file(name).as_uri() for name in sheets]
    html = render_to_string("reports/print.html", context)
    try:
        from weasyprint import HTML  # noqa: PLC0415 - needs Pango, and half a second
    except OSError as error:  # Pango is a library of the operating system, not of Python
        logger.exception("WeasyPrint can't load its libraries")
        raise DocumentFailed("The PDF can't be made: the Pango library is missing.") from error
    pdf: bytes = HTML(string=html, url_fetcher=_fetcher()).write_pdf(
        pdf_variant=PDF_VARIANT, pdf_identifier=content.draft_sha256.encode()
    )
    return pdf


def document_context(content: ReportContent, images: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what the document's template needs, on paper and on screen.

    ``images`` holds a JPEG for each cell id that the content names, and its logo's PNG by hash.
    """
    missing = [picture for picture in content.pictures if picture.cell_id not in images]
    if missing:
        raise DocumentFailed(f"{len(missing)} of the chosen cell images can't be read.")
    return {
        "content": content,
        "pictures": [(picture, _data_url(picture, images)) for picture in content.pictures],
        "notes": reference_notes(content),
        "sections": sections_of(content),
        "paper": content.layout.paper if content.layout else Paper.A4,
        "logo": _logo_url(content, images),
    }


def _references(content: ReportContent) -> Iterator[Reference]:
    """Give every reference interval that the report prints, in its order."""
    judged = [row.reference for row in content.differential]
    if content.white_count:
        judged.append(content.white_count.reference)
    if content.fields:
        judged.append(content.fields.platelets_reference)
    judged += [item.reference for item in content.analyser_results]
    yield from filter(None, judged)


def reference_notes(content: ReportContent) -> list[str]:
    """Say where the intervals come from and whether anybody approved the reference ones."""
    references = list(_references(content))
    sources = dict.fromkeys((item.source, item.version) for item in references)
    notes = [f"Reference intervals: {source}; version {version}." for source, version in sources]
    if any(not item.is_approved for item in references):
        notes.append("u: unconfirmed, not yet approved for this laboratory.")
    if any(row.naming_low is not None for row in content.differential):
        notes.append(
            "n: 95 % interval that also carries the software's confusion in naming cells "
            "that the pathologist did not name."
        )
    return notes


def _data_url(picture: CellPicture, images: Mapping[str, bytes]) -> str:
    encoded = base64.b64encode(images[picture.cell_id]).decode()
    return f"data:image/jpeg;base64,{encoded}"


def _logo_url(content: ReportContent, images: Mapping[str, bytes]) -> str:
    sha256 = content.layout.logo_sha256 if content.layout else ""
    if not sha256:
        return ""
    if sha256 not in images:
        raise DocumentFailed("The laboratory's logo can't be read.")
    return f"data:image/png;base64,{base64.b64encode(images[sha256]).decode()}"


def _static_file(name: str) -> Path:
    found = finders.find(name)
    if not found:
        raise DocumentFailed(f"The PDF can't be made: {name} is missing.")
    return Path(found)


@cache
def _fetcher() -> "URLFetcher":
    """Return a fetcher that reads data addresses and files below our static folders only."""
    from weasyprint.urls import URLFetcher  # noqa: PLC0415 - see render_pdf

    class OwnFilesOnly(URLFetcher):
        """Refuses every address that isn't ours."""

        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
            parts = urlsplit(url)
            if parts.scheme == "file" and not _is_ours(Path(unquote(parts.path))):
                raise ValueError(f"Not a static file of this site: {url}")
            return super().fetch(url, headers)

    return OwnFilesOnly(allowed_protocols={"file", "data"})


def _is_ours(path: Path) -> bool:
    """Say whether ``path`` lies in the folder that holds our own style sheets."""
    return path.resolve().is_relative_to(_static_file(STYLE_SHEETS[0]).resolve().parents[1])
