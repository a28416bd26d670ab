"""The messages that docs/hl7.md shows are those that the code writes."""

from pathlib import Path

import pytest

from tests.reports.messages import as_shown, make_shown

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "hl7.md"


@pytest.mark.parametrize("status", ["final", "corrected", "entered-in-error"])
def test_the_message_shown_is_the_one_that_is_written(status: str) -> None:
    assert f"```\n{as_shown(make_shown(status))}```\n" in DOCUMENT.read_text()
