"""The page docs/permissions.md, written from the roles and the access table."""

from collections.abc import Iterator
from itertools import groupby

from accounts.enums import Role
from accounts.roles import DUTIES, ROLE_DUTIES, ROLE_SUMMARIES
from tests.access.lines import METHODS, SIGNS, WHO, routes, signs_of
from tests.access.table import TABLE

OPENING = """# Who may do what

Written by `python -m tests.access` from `accounts/roles.py` and `tests/access/table`; a test
holds this page to both, and the table to the site: every address is opened as everybody, with GET
and with an empty POST. How duties are given to one person, and withheld, is in
[accounts.md](accounts.md).
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([OPENING, *_duties(), "", *_addresses(), ""])


def _duties() -> Iterator[str]:
    yield "## Roles and duties\n"
    yield from (f"- **{role.label}** {summary}." for role, summary in ROLE_SUMMARIES.items())
    yield ""
    yield _row("Duty", "", *(str(role.label) for role in Role))
    yield _row(*["---"] * (len(Role) + 2))
    for duty, sentence in DUTIES.items():
        marks = ("yes" if duty in ROLE_DUTIES[role] else "" for role in Role)
        yield _row(sentence.removeprefix("Can "), f"`{duty}`", *marks)


def _addresses() -> Iterator[str]:
    yield "## Addresses and roles\n"
    yield "Each cell says what GET and what POST answer. Addresses of the API are opened by a"
    yield "program with a token of all scopes that the role may have.\n"
    yield from (f"- `{sign}` {meaning}" for sign, meaning in SIGNS.items())
    known = routes()
    ordered = sorted(TABLE, key=lambda name: known[name])
    for part, names in groupby(ordered, key=lambda name: known[name].split("/")[0]):
        yield f"\n### /{part}\n"
        yield _row("Address", *(who.capitalize() for who in WHO))
        yield _row(*["---"] * (len(WHO) + 1))
        yield from (_line(name, known[name]) for name in names)


def _line(name: str, route: str) -> str:
    get, post = (signs_of(TABLE[name], method).split() for method in METHODS)
    shown = route.replace("|", "\\|")
    return _row(f"`/{shown}`", *(f"`{a} {b}`" for a, b in zip(get, post, strict=True)))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
