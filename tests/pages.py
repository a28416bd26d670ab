"""What a page says, without what is drawn by chance."""

import re
from html import unescape
from typing import Protocol

_TOKEN = re.compile(r"[A-Za-z0-9]{64}")  # a CSRF token: any name of three letters may be in it
_TAG = re.compile(r"<[^>]*>")


class Answer(Protocol):
    """A response that has come whole."""

    @property
    def content(self) -> bytes: ...


def words_of(response: Answer) -> str:
    """Return a page's text with its CSRF tokens blanked: a search for a name is never by luck."""
    return _TOKEN.sub("", response.content.decode(errors="replace"))


def text_of(response: Answer) -> str:
    """Return the same as it is read: without tags, one space between words."""
    return " ".join(unescape(_TAG.sub(" ", words_of(response))).split())
