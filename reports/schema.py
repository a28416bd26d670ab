"""The report as JSON, and the JSON Schema (2020-12) of it, made from the content's own form.

The file is the canonical form of the content, byte for byte: its SHA-256 is the content hash that
the signature is bound to and that is printed on the report.
"""

from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from reports.canonical import canonical_bytes
from reports.content import SCHEMA_VERSION, ReportContent

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER: Final = f"urn:hematovision:report-content:{SCHEMA_VERSION}"
_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    Decimal: {
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
        "description": "A decimal number as text, so that no digit is lost.",
    },
    datetime: {
        "type": "string",
        "format": "date-time",
        "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}\+00:00$",
        "description": "A moment in UTC.",
    },
    date: {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
}


def render_json(content: ReportContent) -> bytes:
    """Return the report as JSON: the very bytes that are hashed and signed."""
    return canonical_bytes(content)


def content_schema() -> dict[str, Any]:
    """Return the schema of what `render_json` writes."""
    definitions: dict[str, Any] = {}
    root = _of_dataclass(ReportContent, definitions)
    root["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": "A signed blood smear report of HematoVision",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if get_origin(kind) in (Union, UnionType):
        inner = next(option for option in get_args(kind) if option is not NoneType)
        return {"anyOf": [_of(inner, definitions), {"type": "null"}]}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _of(get_args(kind)[0], definitions)}
    if isinstance(kind, type) and is_dataclass(kind):
        name = kind.__name__
        if name not in definitions:
            definitions[name] = _of_dataclass(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    return dict(_PLAIN[kind])


def _of_dataclass(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Describe an object; what has a default is left out while it has it, so it isn't required."""
    hints = get_type_hints(kind)
    parts: tuple[Field[Any], ...] = fields(kind)
    return {
        "description": " ".join(kind.__doc__.split("\n\n")[0].split()),
        "type": "object",
        "properties": {part.name: _of(hints[part.name], definitions) for part in parts},
        "required": [part.name for part in parts if part.default is MISSING],
        "additionalProperties": False,
    }
