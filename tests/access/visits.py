"""Opening every address as everybody, leaving nothing behind."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.test import Client

from tests.access.lines import METHODS, WHO, routes, sign_of
from tests.access.site import Site, browser, program

PROGRAMS = ("api:v1:", "fhir:")
PAGE = "text/html"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request and what came of it; ``text`` is that of a page or of data, not of pictures."""

    name: str
    method: str
    who: str
    address: str
    status: int
    sign: str
    content_type: str
    policy: str
    text: str


def visit_all(site: Site, who_visits: Sequence[str] = WHO) -> Iterator[Visit]:
    """Send GET and an empty POST to every address as everybody; each is taken back at once."""
    browsers = {who: browser(site.people.get(who)) for who in who_visits}
    programs = {who: program(site.people.get(who)) for who in who_visits}
    for client in (*browsers.values(), *programs.values()):
        client.get("/notices/")  # its session begins, and stays
    for name, route in routes().items():
        address = site.address(name, route)
        clients = programs if name.startswith(PROGRAMS) else browsers
        for method in METHODS:
            for who, client in clients.items():
                yield _visit(client, Visit(name, method, who, address, 0, "", "", "", ""))


def _visit(client: Client, asked: Visit) -> Visit:
    cookies = deepcopy(client.cookies)
    with transaction.atomic():
        response: Any = client.generic(asked.method, asked.address)
        body = response.getvalue()
        transaction.set_rollback(True)
    client.cookies = cookies
    content_type = response.headers.get("Content-Type", "").split(";")[0]
    is_text = content_type.startswith("text/") or content_type.endswith(("json", "xml"))
    return Visit(
        asked.name, asked.method, asked.who, asked.address, response.status_code,
        sign_of(response), content_type, response.headers.get("Content-Security-Policy", ""),
        body.decode(errors="replace") if is_text else "",
    )  # fmt: skip
