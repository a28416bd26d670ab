"""Every table of the application has its level in the list of kinds of data."""

import re
from pathlib import Path

from django.apps import apps

SAID = (Path(__file__).resolve().parents[2] / "docs/data-classes.md").read_text()
OWN = ("accounts", "api", "classifier", "consultation", "exchange", "learning", "notifications",
       "quality", "reports", "retention", "vault")  # fmt: skip


def _named() -> list[tuple[str, str]]:
    """Return application and table as the list names them."""
    found = []
    for line in re.findall(r"^Tables: (.+)$", SAID, re.MULTILINE):
        for part in line.split(";"):
            app = re.search(r"`(\w+)`", part)
            assert app, part
            found += [(app[1], name) for name in re.findall(r"[A-Z]\w+", part)]
    return found


def _known() -> set[tuple[str, str]]:
    return {
        (label, model.__name__)
        for label in OWN
        for model in apps.get_app_config(label).get_models()
    }


def test_every_table_has_one_level_and_no_other_is_named() -> None:
    assert sorted(_named()) == sorted(_known())
