"""What FHIR R4 (4.0.1) demands of a resource: elements, cardinality, forms, required codes.

The demands are the standard's own definitions, kept in ``r4_rules.json``. They are checked here
because the library of FHIR models knows R4B only, and takes any text for a code.
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

RULES = Path(__file__).with_name("r4_rules.json")
RESOURCE_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "decimal": (int, float, Decimal),
    "integer": (int,),
    "positiveInt": (int,),
    "unsignedInt": (int,),
}
UNBOUNDED = "*"


@cache
def load_rules() -> dict[str, Any]:
    """Return the definitions: ``types`` with their elements, ``codes`` of required bindings."""
    rules: dict[str, Any] = json.loads(RULES.read_text(encoding="utf-8"))
    return rules


def find_problems(resource: Mapping[str, Any]) -> list[str]:
    """Return what R4 forbids in a resource, each with its place; nothing if it conforms."""
    kind = str(resource.get("resourceType", ""))
    if "elements" not in load_rules()["types"].get(kind, {}):
        return [f"{kind or 'A resource'} is not a type that is sent from here."]
    found = list(_walk(resource, kind, kind))
    if "id" in resource and not RESOURCE_ID.fullmatch(str(resource["id"])):
        found.append(f"{kind}.id is not an id of FHIR.")
    return found


def _walk(value: Mapping[str, Any], path: str, place: str) -> Iterator[str]:
    """Check the children of ``value`` against the definition of ``path``."""
    children = _children(path)
    yield from (
        f"{place}.{name} is unknown."
        for name in value
        if name not in children and name != "resourceType"
    )
    for name, (definition, _) in children.items():
        if definition["min"] and not any(
            other in value for other, (same, _) in children.items() if same is definition
        ):
            yield f"{place}.{name} is missing."
    for name, child in value.items():
        if name in children:
            yield from _element(child, children[name], f"{place}.{name}")


def _element(value: Any, found: tuple[dict[str, Any], str], place: str) -> Iterator[str]:
    definition, kind = found
    if (definition["max"] == "1") == isinstance(value, list):
        yield f"{place} is a list or not, other than R4 has it."
        return
    items = value if isinstance(value, list) else [value]
    if not items:
        yield f"{place} is empty."
    for number, item in enumerate(items):
        where = f"{place}[{number}]" if isinstance(value, list) else place
        yield from _item(item, definition, kind, where)


def _item(item: Any, definition: dict[str, Any], kind: str, place: str) -> Iterator[str]:
    if "primitive" in load_rules()["types"].get(kind, {}):
        if problems := list(_primitive(item, kind, place)):
            yield from problems
            return
    elif not isinstance(item, dict):
        yield f"{place} is not an object."
        return
    elif kind == "Resource":
        yield from (f"{place}: {problem}" for problem in find_problems(item))
    else:
        yield from _walk(item, definition.get("at", kind), place)
    if "binding" in definition:
        yield from _binding(item, definition["binding"], place)


def _primitive(item: Any, kind: str, place: str) -> Iterator[str]:
    expected = JSON_TYPES.get(kind, (str,))
    if not isinstance(item, expected) or isinstance(item, bool) != (kind == "boolean"):
        yield f"{place} is not of type {kind}."
        return
    pattern = load_rules()["types"][kind]["primitive"]
    text = str(item).lower() if kind == "boolean" else str(item)
    if item == "" or (pattern and not _pattern(pattern).fullmatch(text)):
        yield f"{place} has not the form of {kind}."


def _binding(item: Any, value_set: str, place: str) -> Iterator[str]:
    """Check a code, or the codes of a concept, against a required value set."""
    allowed = load_rules()["codes"][value_set]
    if isinstance(item, str):
        codes = [item]
    elif "coding" in item:
        codes = [str(coding.get("code", "")) for coding in item["coding"]]
        if any(code in allowed for code in codes):
            return
    else:
        codes = [str(item["code"])] if "code" in item else []
    for code in codes:
        if code not in allowed:
            yield f"{place}: {code!r} is not in {value_set}."


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.DOTALL)


@cache
def _children(path: str) -> dict[str, tuple[dict[str, Any], str]]:
    """Return the elements below ``path`` by their JSON name, each with its definition and type."""
    elements = load_rules()["types"][path.partition(".")[0]]["elements"]
    found: dict[str, tuple[dict[str, Any], str]] = {}
    for below, definition in elements.items():
        parent, _, name = below.rpartition(".")
        if parent != path:
            continue
        if name.endswith("[x]"):
            for kind in definition["types"]:
                choice = f"{name[:-3]}{kind[0].upper()}{kind[1:]}"
                found[choice] = (definition, kind)
            continue
        if "like" in definition:
            found[name] = (definition | {"at": definition["like"]}, "BackboneElement")
            continue
        kind = definition["types"][0]
        nested = kind in ("BackboneElement", "Element")
        found[name] = (definition | {"at": below} if nested else definition, kind)
    return found
