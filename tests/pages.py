"""What a page says, without what is drawn by chance."""

import re
from typing import Protocol

_TOKEN = re.compile(r"[A-Za-z0-9]{64}")  # a CSRF token: any name of three letters may be in it


class Answer(Protocol):
    """A response that has come whole."""

    @property
    def content(self) -> bytes: ...


def words_of(response: Answer) -> str:
    """Return a page's text with its CSRF tokens blanked: a search for a name is never by luck."""
    return _TOKEN.sub("", response.content.decode(errors="replace"))
