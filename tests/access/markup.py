"""What a strict content security policy would block in a page."""

import re
from html.parser import HTMLParser


def violations_in(html: str) -> list[str]:
    """Return scripts and styles within the page, and sources from elsewhere."""
    markup = _Markup()
    markup.feed(html)
    return markup.violations


class _Markup(HTMLParser):
    """Collects what a strict content security policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.violations: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        is_data = ("type", "application/json") in attrs
        if tag == "style" or (tag == "script" and "src" not in names and not is_data):
            self.violations.append(f"<{tag}>")
        self.violations += [n for n in names if n == "style" or re.fullmatch(r"on[a-z]+", n)]
        self.violations += [v for n, v in attrs if n == "src" and v and v.startswith("http")]
