"""What each unsafe address of the site takes, read from the pages' forms and the API's schema."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import Resolver404, resolve

from api.description import SCHEMA_FILE
from tests.access.lines import METHODS, WHO, routes, signs_of
from tests.access.site import Site, browser, program
from tests.access.table import TABLE
from tests.factories import PASSWORD

PROGRAMS = ("api:v1:", "fhir:")
FILE = "file"
# What a filled-in field holds where the page leaves it empty.
FILLED = {
    "password": PASSWORD, "email": "someone@laboratory.example", "date": "1980-01-01",
    "datetime-local": "2026-11-01T08:00", "number": "3", "url": "https://receiver.example/in",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it would be sent unchanged; ``files`` names its fields for files."""

    address: str
    fields: Mapping[str, str] = field(default_factory=dict)
    files: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Door:
    """An unsafe address, who may use it, and what it takes."""

    name: str
    method: str
    address: str
    who: tuple[str, ...]
    form: Form
    json: Any = None


# What the pages' scripts send, which stands in no form.
STEP = {"action_id": str(uuid.uuid4())}
CELLS = STEP | {"cell_ids": ["cells/"]}
LOOKS = STEP | {"looks": [{"cell": "cells/", "revision": 0}]}
BOX = [1, 1, 40, 40]
SCRIPTS: Mapping[str, Any] = {
    "classifier:review_corrections": CELLS | {"cell_type": "lymphocyte", "reason": "Seen."},
    "classifier:review_acceptances": LOOKS,
    "classifier:review_class_acceptances": LOOKS | {"cell_type": "neutrophil"},
    "classifier:review_add": STEP | {"image_id": "images/", "box": BOX, "cell_type": "lymphocyte"},
    "classifier:review_reshape": STEP | {"cell_id": "cells/", "box": BOX},
    "classifier:review_remove": CELLS,
    "classifier:review_repeats": CELLS | {"repeat": "own"},
    "classifier:review_undo_step": STEP,
    "classifier:review_redo_step": STEP,
    "classifier:review_comment_text": {"text": "Seen.", "revision": "0"},
    "classifier:review_grades": STEP
    | {"code": "target_cells", "grade": 1, "count": "3.5", "comment": "Seen."},
    "classifier:review_grade_withdrawals": STEP | {"code": "target_cells"},
    "classifier:review_absences": STEP | {"line": "red"},
    "classifier:study_marks": STEP | {"position": 1, "cell_type": "neutrophil"},
    "quality:check_names": STEP | {"position": 1, "cell_type": "neutrophil"},
    "classifier:case_slides_upload": {"files": [{"name": "a.svs", "size": 9, "modified": 0}]},
    "classifier:slide_take": {"box": BOX},
    "classifier:slide_part": {},
}
UNSAFE = ("POST", "PUT", "DELETE")
# What pages put rather than post, and who may: the table holds GET and POST alone.
PUT = {
    "classifier:slide_part": ("technician",),
    "classifier:review_comment_text": ("pathologist",),
}
# Pages of pictures, files and data hold no form.
_FORMLESS = re.compile(
    r"export|picture|thumbnail|tile|figure|pdf|csv|xlsx|json|dicom|fhir|barcode|schema|heat|against"
    r"|printed|status|banner|nearest|alike|presence|field_cells|permissions|docs|health"
)


def find_doors(site: Site) -> list[Door]:
    """Return every unsafe address that somebody may use, with what is sent to it."""
    forms = {resolve(form.address).view_name: form for form in _all_forms(site)}
    described = _described()
    doors = []
    for name, route in routes().items():
        for method in _methods(name):
            who = _who(name, method)
            if who:
                address = site.address(name, route)
                form = forms.get(name, Form(address))
                sent = _with_ids(SCRIPTS.get(name, described.get((method, route))), site)
                doors.append(Door(name, method, form.address, who, form, sent))
    return doors


def client_of(door: Door, who: str, site: Site) -> Client:
    """Return the browser or the program of somebody."""
    open_as = program if door.name.startswith(PROGRAMS) else browser
    return open_as(site.people.get(who))


def _methods(name: str) -> list[str]:
    if name in PUT:
        return ["PUT"]
    line = TABLE[name]
    return ["POST"] if isinstance(line, tuple) else [one for one in line if one in UNSAFE]


def _who(name: str, method: str) -> tuple[str, ...]:
    """Return those to whom the address opens; where it opens to none, those who find nothing."""
    if name in PUT:
        return PUT[name]
    signs = signs_of(TABLE[name], method).split()
    for wanted in "+.":
        found = tuple(who for who, sign in zip(WHO, signs, strict=True) if sign == wanted)
        if found:
            return found
    return ()


def _all_forms(site: Site) -> Iterator[Form]:
    """Read the forms of all pages, as everybody to whom they open; learners see no others."""
    for who in ("consultant", "administrator", "pathologist", "technician", "stranger"):
        client = browser(site.people.get(who))
        for name, route in routes().items():
            opens = dict(zip(WHO, signs_of(TABLE[name], METHODS[0]).split(), strict=True))
            if opens[who] == "+" and not name.startswith(PROGRAMS) and not _FORMLESS.search(name):
                address = site.address(name, route)
                answer: Any = client.get(address)
                if answer.headers.get("Content-Type", "").startswith("text/html"):
                    yield from forms_in(answer.content.decode(), address)


def forms_in(page: str, address: str) -> Iterator[Form]:
    """Return the forms of a page that change something, filled in where they are empty."""
    reader = _Reader(address)
    reader.feed(page)
    for form in reader.found:
        try:
            resolve(form.address)
        except Resolver404:
            continue
        yield form


class _Reader(HTMLParser):
    """Collects a page's forms with their fields' values."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.found: list[Form] = []
        self._open: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if said.get("hx-post"):
            self.found.append(Form(_path(said["hx-post"]), _values(said.get("hx-vals", ""))))
        if tag == "form" and said.get("method", "").lower() == "post":
            action = _path(said.get("action", "")) or self.address
            self._open = Form(action, {}, frozenset())
            self.found.append(self._open)
        elif self._open is not None and said.get("name") != "csrfmiddlewaretoken":
            self._field(tag, said)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "select":
            self._select = ""

    def _field(self, tag: str, said: Mapping[str, str]) -> None:
        fields: Any = self._open.fields if self._open else {}
        name, kind = said.get("name", ""), said.get("type", "text")
        if tag == "select":
            self._select = name
            fields.setdefault(name, "")
        elif tag == "option" and self._select:
            if not fields[self._select] or "selected" in said:
                fields[self._select] = said.get("value", "")
        elif tag == "input" and kind == FILE and name and self._open:
            self.found[self.found.index(self._open)] = self._open = Form(
                self._open.address, fields, self._open.files | {name}
            )
        elif tag in {"input", "button"} and name and kind in {"radio", "checkbox", "submit"}:
            fields.setdefault(name, said.get("value", "on"))
        elif tag in {"input", "textarea"} and name:
            fields[name] = said.get("value", "") or FILLED.get(kind, "Seen.")


def _path(address: str) -> str:
    return address.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0]


def _values(text: str) -> dict[str, str]:
    try:
        return {name: str(value) for name, value in json.loads(text or "{}").items()}
    except ValueError:
        return {}


def _described() -> dict[tuple[str, str], Any]:
    """Return an example of what each address of the API takes, by method and route."""
    schema = json.loads(SCHEMA_FILE.read_text())
    found = {}
    for path, methods in schema["paths"].items():
        for method, said in methods.items():
            content = (
                said.get("requestBody", {}).get("content", {}) if method != "parameters" else {}
            )
            if "application/json" in content:
                address = path.strip("/").replace("{", "<").replace("}", ">")
                found[method.upper(), _bare(address)] = _example(
                    content["application/json"]["schema"], schema
                )
    return _Routes(found)


class _Routes(dict[tuple[str, str], Any]):
    """Examples by method and route, whatever converters the route names."""

    def get(self, key: Any, default: Any = None) -> Any:
        method, route = key
        return super().get((method, _bare(route)), default)


def _bare(route: str) -> str:
    return "/".join("<>" if part.startswith("<") else part for part in route.strip("/").split("/"))


def _example(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(whole["components"]["schemas"][schema["$ref"].split("/")[-1]], whole)
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema:
            return _example(schema[several][0], whole)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _example(inner, whole) for name, inner in properties.items()}
    if kind == "array":
        return [_example(schema.get("items", {}), whole)]
    forms = {"uuid": str(uuid.uuid4()), "date": "1980-01-01", "date-time": "2026-11-01T08:00:00Z"}
    kinds = {"integer": 1, "number": 1.5, "boolean": True}
    return forms.get(schema.get("format", ""), kinds.get(kind, "Seen."))


def _with_ids(value: Any, site: Site) -> Any:
    """Put the site's own ids where a body names a kind of thing."""
    if isinstance(value, dict):
        return {name: _with_ids(inner, site) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_ids(inner, site) for inner in value]
    is_kind = isinstance(value, str) and value.endswith("/") and value in site.things
    return str(site.things[value]) if is_kind else value
