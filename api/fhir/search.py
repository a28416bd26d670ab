"""Searching what signed reports became: a page of matches with what they lead to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q
from django.http import QueryDict

from api.fhir.catalogue import CONTROL, KINDS, Kind
from api.fhir.outcomes import make_outcome, refuse
from api.fhir.parameters import (
    USUAL_PER_PAGE,
    Cursor,
    alternatives,
    read_count,
    read_cursor,
)
from api.fhir.reports import Key, earlier_versions, record_reads, resources_of, visible_reports
from reports.exceptions import ReportTampered
from reports.fhir.values import Resource
from reports.models import Report

if TYPE_CHECKING:
    from accounts.models import User

CHUNK = 25
MOST_READ = 100
"""Reports that are read for one page; the next link goes on behind them."""

SKIP_ALL = 999
"""More than comes of any report: the cursor then stands behind it."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search as it was asked: rows to look at, tests of each resource, and the page."""

    rows: Q
    tests: tuple[Callable[[Resource], bool], ...]
    includes: tuple[str, ...]
    count: int
    cursor: Cursor | None
    asked: tuple[tuple[str, str], ...]

    def link(self, kind: str, cursor: Cursor | None = None) -> str:
        """Return the address of this search, from ``cursor`` on."""
        pairs = [*self.asked, *([("_cursor", cursor.encode())] if cursor else [])]
        query = f"?{urlencode(pairs)}" if pairs else ""
        return f"{settings.SITE_URL}/fhir/{kind}{query}"


@dataclass(slots=True)
class Page:
    """What was found so far; ``after`` is where the next page begins, None at the end."""

    matches: list[Resource]
    included: dict[Key, Resource]
    warnings: list[Resource]
    patients: list[Any]
    after: Cursor | None = None


def read_query(kind: str, parameters: QueryDict) -> Query:
    """Return the search that the parameters ask for; what isn't known is refused."""
    definition = KINDS[kind]
    rows, tests = Q(), []
    for name, values in parameters.lists():
        if name in CONTROL:
            continue
        if (parameter := definition.parameters.get(name)) is None:
            raise refuse(f"{kind} can't be searched by {name[:60]!r}.")
        for value in values:
            options = list(alternatives(value))
            if parameter.rows is not None:
                either = Q()
                for option in options:
                    either |= parameter.rows(option)
                rows &= either
            if (test := parameter.resource) is not None:
                tests.append(_any(test, options))
    cursor = last(parameters, "_cursor")
    return Query(
        rows=rows,
        tests=tuple(tests),
        includes=tuple(_includes(kind, definition, parameters)),
        count=read_count(last(parameters, "_count") or str(USUAL_PER_PAGE)),
        cursor=read_cursor(cursor) if cursor else None,
        asked=tuple(
            (name, value)
            for name, values in parameters.lists()
            if name != "_cursor"
            for value in values
        ),
    )


def last(parameters: QueryDict, name: str) -> str:
    """Return the value of what may be given once; refuse a second."""
    values = parameters.getlist(name)
    if len(values) > 1:
        raise refuse(f"{name} is given more than once.")
    return values[0] if values else ""


def _any(test: Callable[[Resource, str], bool], options: list[str]) -> Callable[[Resource], bool]:
    for option in options:
        test({}, option)  # refuses what can't be read before anything is looked for
    return lambda item: any(test(item, option) for option in options)


def _includes(kind: str, definition: Kind, parameters: QueryDict) -> Iterator[str]:
    for wanted in parameters.getlist("_include"):
        source, _, rest = wanted.partition(":")
        name = rest.partition(":")[0]
        if source != kind or name not in definition.includes:
            raise refuse(f"_include of {kind} can't be {wanted[:60]!r}.")
        yield definition.includes[name]


def search(user: "User", kind: str, parameters: QueryDict) -> Resource:
    """Return a page of the matches that the user may see, the latest issued first."""
    query = read_query(kind, parameters)
    page = Page([], {}, [], [])
    rows = visible_reports(user).filter(query.rows)
    if KINDS[kind].current_only:
        rows = rows.current()
    _fill(page, user, kind, query, rows)
    record_reads(user, page.patients)
    return _bundle(kind, query, page)


def _fill(page: Page, user: "User", kind: str, query: Query, rows: Any) -> None:
    position, read = query.cursor, 0
    while read < MOST_READ:
        chunk = list(_behind(rows, position)[:CHUNK])
        earlier = earlier_versions(chunk)
        for report in chunk:
            skip = position.skip if position and position.pk == str(report.pk) else 0
            done = _take(page, user, kind, query, report, earlier[report.pk], skip)
            if done is not None:
                page.after = Cursor(report.issued_at, str(report.pk), done)
                return
        if len(chunk) < CHUNK:
            return
        read += len(chunk)
        position = Cursor(chunk[-1].issued_at, str(chunk[-1].pk), SKIP_ALL)
    page.after = position


def _behind(rows: Any, position: Cursor | None) -> Any:
    """Return the rows from a position on; the row itself too while some of it is left."""
    if position is None:
        return rows
    same = Q(issued_at=position.at)
    behind = Q(pk__lt=position.pk) if position.skip == SKIP_ALL else Q(pk__lte=position.pk)
    return rows.filter(Q(issued_at__lt=position.at) | same & behind)


def _take(
    page: Page,
    user: "User",
    kind: str,
    query: Query,
    report: Report,
    earlier: list[Report],
    skip: int,
) -> int | None:
    """Add a report's matches; return how many of them were taken if the page is full before."""
    try:
        made = resources_of(report, user, earlier=earlier)
    except ReportTampered as refusal:
        text = f"DiagnosticReport/{report.case_id}: {refusal}"
        page.warnings.append(make_outcome("processing", text, "warning"))
        return None
    found = [item for (its_kind, _), item in made.items() if its_kind == kind]
    matches = [item for item in found if all(test(item) for test in query.tests)]
    for number, item in enumerate(matches[skip:], start=skip):
        if len(page.matches) >= query.count:
            return number
        page.matches.append(item)
        page.included |= dict(_led_to(item, query.includes, made))
        page.patients.append(report.case.patient_id)
    return None


def _led_to(
    item: Resource, elements: tuple[str, ...], made: Mapping[Key, Resource]
) -> Iterator[tuple[Key, Resource]]:
    for element in elements:
        value = item.get(element, [])
        for reference in value if isinstance(value, list) else [value]:
            kind, _, ident = reference.get("reference", "").partition("/")
            if (kind, ident) in made:
                yield (kind, ident), made[kind, ident]


def _bundle(kind: str, query: Query, page: Page) -> Resource:
    for item in page.matches:
        page.included.pop((kind, item["id"]), None)
    links = [{"relation": "self", "url": query.link(kind, query.cursor)}]
    if page.after:
        links.append({"relation": "next", "url": query.link(kind, page.after)})
    entries = [
        *(entry(item, "match") for item in page.matches),
        *(entry(item, "include") for item in page.included.values()),
        *({"resource": item, "search": {"mode": "outcome"}} for item in page.warnings),
    ]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return bundle | ({"entry": entries} if entries else {})


def entry(item: Resource, mode: str) -> dict[str, Any]:
    """Return a resource as an entry of a searchset."""
    url = f"{settings.SITE_URL}/fhir/{item['resourceType']}/{item['id']}"
    return {"fullUrl": url, "resource": item, "search": {"mode": mode}}
