"""Verification codes: drawn at random when a report is signed, typed or scanned to check it."""

import re
import secrets
from dataclasses import dataclass
from itertools import groupby

import segno
from django.conf import settings
from django.urls import reverse

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret
"""Crockford's base 32: without I, L, O and U, which people mistake."""
LENGTH = 16
GROUP = 4
MISREAD = str.maketrans("ILO", "110")


def new_code() -> str:
    """Return a code of 80 random bits: nobody finds a report by guessing."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def spell(code: str) -> str:
    """Return the code in groups of four, as it is printed."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def read_code(text: str) -> str | None:
    """Return the code that somebody typed, whatever its case, spaces and dashes; else None."""
    code = re.sub(r"[\s\-]", "", text.upper()).translate(MISREAD)
    is_code = len(code) == LENGTH and set(code) <= set(ALPHABET)
    return code if is_code else None


def address_of(code: str) -> str:
    """Return the public address at which the code resolves."""
    return f"{settings.SITE_URL}{reverse('verification:report', args=[spell(code)])}"


def entrance_of(address: str) -> str:
    """Return where the code can be typed, without the scheme, as it is printed."""
    return address.split("://", 1)[-1].rsplit("/", 2)[0]


@dataclass(frozen=True, slots=True)
class QRDrawing:
    """A QR code as one SVG path, in units of its modules; the quiet zone is part of the side."""

    side: int
    path: str


def draw_qr(text: str) -> QRDrawing:
    """Return the QR code (ISO/IEC 18004, error correction M) of ``text``; the same, the same."""
    rows = [list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    runs = []
    for y, row in enumerate(rows):
        x = 0
        for is_dark, modules in groupby(row):
            width = len(list(modules))
            if is_dark:
                runs.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    return QRDrawing(len(rows), "".join(runs))
