"""A model card as part of a page: Markdown that somebody may have uploaded, made harmless."""

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

LOWER_BY = 2
MOST_CHARACTERS = 200_000

_markdown = (
    MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink"])
)


def render_card(text: str) -> SafeString:
    """Return the card as HTML: no markup of its own, no links, no pictures, lower headings."""
    tokens = _markdown.parse(text[:MOST_CHARACTERS])
    for token in tokens:
        _tame(token)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return mark_safe(html)  # noqa: S308 - the renderer escapes all text, and knows no raw HTML


def _tame(token: Token) -> None:
    """Headings go below the page's own; attributes (a column's alignment) are inline styles."""
    token.attrs = {}
    if token.type in {"heading_open", "heading_close"}:
        token.tag = f"h{min(6, int(token.tag[1:]) + LOWER_BY)}"
