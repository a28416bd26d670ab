"""The page of permissions says what the code does."""

from tests.access.__main__ import PAGE
from tests.access.page import page


def test_the_page_is_the_one_that_the_code_writes() -> None:
    assert PAGE.read_text() == page(), "Write it anew: python -m tests.access"
