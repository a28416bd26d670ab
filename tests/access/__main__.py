"""Writes docs/permissions.md: ``python -m tests.access``."""

import os
from pathlib import Path

import django

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.access.page import page

    PAGE.write_text(page())
