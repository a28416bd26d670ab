"""The script modules of a page, so that the browser fetches all of them at once."""

import posixpath
import re
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static

register = template.Library()

_IMPORT = re.compile(r"""^(?:import|export)\s[^;]*?["'](\.[^"']+)["']""", re.MULTILINE)


@register.simple_tag
def modules_of(entry: str) -> list[str]:
    """Return the addresses of all modules that a static module imports, directly or not."""
    return [static(path) for path in _imports_of(entry)]


@cache
def _imports_of(entry: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        path = waiting.pop(0)
        file = finders.find(path)
        if not isinstance(file, str):
            continue
        for name in _IMPORT.findall(Path(file).read_text(encoding="utf-8")):
            other = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
            if other not in found:
                found[other] = None
                waiting.append(other)
    return tuple(found)
