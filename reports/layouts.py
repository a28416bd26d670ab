"""How the laboratory's reports are printed now, and the logo they carry."""

import hashlib
import io

from PIL import Image

from classifier.exceptions import GuardFailed
from reports.content import Layout, ReportContent
from reports.enums import Section
from reports.exceptions import ReportTampered
from reports.models import PrintLayout
from reports.pictures import load_printed

MOST_BYTES = 2 * 1024 * 1024
MOST_PIXELS = 16_000_000
LOGO_SIZE = (1200, 400)
"""Pixels at most: 100 by 33 mm at 300 dots an inch."""


def describe_layout() -> Layout | None:
    """Return the laboratory's layout as a report freezes it; None if it never chose one."""
    row = PrintLayout.objects.first()
    if row is None:
        return None
    return Layout(
        version=row.version,
        paper=row.paper,
        sections=tuple(row.sections),
        footer=row.footer,
        logo_sha256=row.logo_sha256,
        logo_alt=row.logo_alt,
    )


def sections_of(content: ReportContent) -> tuple[str, ...]:
    """Return the sections to print, in order."""
    return content.layout.sections if content.layout else tuple(Section.values)


def load_images(content: ReportContent) -> dict[str, bytes]:
    """Return every picture that the document needs: JPEGs by cell id, the logo's PNG by hash.

    Raises:
        ReportTampered: one of them is gone or isn't the one that the content names.
    """
    return {**load_printed(content.pictures), **_load_logo(content)}


def _load_logo(content: ReportContent) -> dict[str, bytes]:
    sha256 = content.layout.logo_sha256 if content.layout else ""
    if not sha256:
        return {}
    row = PrintLayout.objects.filter(logo_sha256=sha256).first()
    data = bytes(row.logo) if row else b""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ReportTampered("The logo of this report can't be read any more.")
    return {sha256: data}


def read_logo(data: bytes) -> bytes:
    """Return an uploaded PNG or JPEG written anew as a PNG of pixels alone.

    Raises:
        GuardFailed: it is another kind of file, damaged, or too large.
    """
    if len(data) > MOST_BYTES:
        raise GuardFailed("The logo is larger than 2 MB.")
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise GuardFailed("The logo has more than 16 million pixels.")
            pixels = picture.convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise GuardFailed("Choose a PNG or JPEG picture.") from error
    pixels.thumbnail(LOGO_SIZE, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    pixels.save(buffer, format="PNG")
    return buffer.getvalue()
