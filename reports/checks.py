"""What must be there before reports can be signed."""

import ctypes
from typing import Any

from django.core import checks


@checks.register()
def check_pdf_libraries(**kwargs: Any) -> list[checks.CheckMessage]:
    """Warn where the operating system lacks the library that PDFs are made with."""
    try:
        ctypes.CDLL("libpango-1.0.so.0")
    except OSError:
        return [
            checks.Warning(
                "Reports can't be signed: the Pango library is missing.",
                hint="Install it: `apt-get install libpango-1.0-0 libpangoft2-1.0-0`.",
                id="reports.W001",
            )
        ]
    return []
