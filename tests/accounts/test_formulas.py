"""No text that leaves in a table is run by a spreadsheet, whichever table it leaves in."""

import pytest

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
