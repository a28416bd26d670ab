"""What a line of the access table says, and what an answer of the site means in its words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.enums import Role
from accounts.roles import ROLE_DUTIES
from api.enums import Scope
from api.policies import SCOPE_DUTIES

WHO: tuple[str, ...] = ("stranger", *Role.values)
METHODS = ("GET", "POST")
# What a door says to whom; a line of the table holds one sign for each of WHO.
SIGNS = {
    "+": "open: the page, its form, or a word about what was sent",
    ">": "sent to sign in",
    "-": "refused",
    ".": "not found: nothing there that this person may see",
    "x": "no such method",
}
_STATUS = {401: ">", 403: "-", 404: ".", 405: "x"}

Line = tuple[str, str] | Mapping[str, Scope]


def everybody_gets(sign: str) -> str:
    """Return the signs of a door that says the same to all."""
    return " ".join([sign] * len(WHO))


ALL = {sign: everybody_gets(sign) for sign in SIGNS}


def signs_of(line: Line, method: str) -> str:
    """Return what a door says to each of WHO; for the API it follows from the scope it needs."""
    if isinstance(line, tuple):
        return line[METHODS.index(method)]
    scope = line.get(method)
    if scope is None:
        return everybody_gets("x")
    return " ".join([">", *(_of_program(role, scope) for role in Role)])


def _of_program(role: Role, scope: Scope) -> str:
    """A role without any scope has no token, and a session opens nothing of the API."""
    duties = ROLE_DUTIES[role]
    if not duties & set(SCOPE_DUTIES.values()):
        return ">"
    return "+" if SCOPE_DUTIES[scope] in duties else "-"


def sign_of(response: Any) -> str:
    """Return the sign of an answer."""
    to_sign_in = str(response.headers.get("Location", "")).startswith(
        resolve_url(settings.LOGIN_URL)
    )
    if to_sign_in and response.status_code in {301, 302, 303}:
        return ">"
    if response.status_code >= 500:
        return "!"
    return _STATUS.get(response.status_code, "+")


def routes() -> dict[str, str]:
    """Return every route of the site by its name."""
    found: dict[str, str] = {}
    for name, route in _walk(get_resolver().url_patterns):
        assert name not in found, f"Two routes are called {name}."
        found[name] = route
    return found


def _walk(
    patterns: Iterable[URLPattern | URLResolver], before: str = "", space: str = ""
) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, route, inner)
        else:
            yield f"{space}{pattern.name}", route


def written(name: str, signs: Sequence[str]) -> str:
    """Return a line as the table writes it."""
    get, post = (f'"{each}"' if len(set(each)) > 2 else f'ALL["{each[0]}"]' for each in signs)
    return f'    "{name}": ({get}, {post}),'
