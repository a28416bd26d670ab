"""No text that leaves in a table is run by a spreadsheet, whichever table it leaves in."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from accounts.formulas import inert


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＋1", "－1", "＠A"],  # noqa: RUF001
)
def test_what_may_be_run_is_quoted(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Neutrophil", "4-11", "a=b", "{}", "2026-11-22"])
def test_anything_else_stays(text: str) -> None:
    assert inert(text) == text


# Writes figures and words from the code's own lists alone.
WITHOUT_WORDS_OF_PEOPLE = {"classifier/views/reference_csv.py"}


def test_whatever_writes_a_table_lets_no_cell_be_run() -> None:
    root = Path(__file__).resolve().parents[2]
    writers = {
        str(path.relative_to(root)): path.read_text()
        for app in settings.INSTALLED_APPS
        for path in (root / app).rglob("*.py")
        if "csv.writer(" in path.read_text()
    }
    assert set(writers) > WITHOUT_WORDS_OF_PEOPLE
    unguarded = {name for name, text in writers.items() if not re.search(r"\b(safe|inert)\(", text)}
    assert unguarded == WITHOUT_WORDS_OF_PEOPLE
