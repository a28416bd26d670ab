"""Frozen dataclasses to JSON and back, in one canonical form that can be hashed.

Canonical: keys sorted, no spaces, UTF-8; decimals as text, moments in UTC, no floats. The same
value always gives the same bytes, whichever database or Python wrote it. A field with a default
is left out while it has it: so a form may grow, and what was written before stays as it was.
"""

import hashlib
import json
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

JSON = dict[str, "JSON"] | list["JSON"] | str | int | bool | None


class ContentError(Exception):
    """A stored value doesn't fit the form of the content."""


def encode(value: Any) -> JSON:
    """Return ``value`` (dataclasses, tuples, text, whole and decimal numbers, dates) as JSON."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return format(value, "f")
        case datetime():
            if value.tzinfo is None:
                raise ContentError("A moment without time zone has no canonical form.")
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case tuple():
            return [encode(item) for item in value]
    if is_dataclass(value):
        return {
            field.name: encode(getattr(value, field.name))
            for field in fields(value)
            if getattr(value, field.name) != field.default
        }
    raise ContentError(f"{type(value).__name__} has no canonical form.")


def decode(kind: Any, value: Any) -> Any:
    """Return the JSON ``value`` as an instance of ``kind``, which `encode` would write the same.

    Raises:
        ContentError: a key is missing or unknown, or a value is of another type.
    """
    if get_origin(kind) in (Union, UnionType):
        return _decode_optional(kind, value)
    if get_origin(kind) is tuple:
        return tuple(decode(get_args(kind)[0], item) for item in _expect(list, value))
    if is_dataclass(kind):
        return _decode_dataclass(kind, _expect(dict, value))
    if kind in (Decimal, datetime, date):
        parse = Decimal if kind is Decimal else kind.fromisoformat
        return parse(_expect(str, value))
    return _expect(kind, value)


def canonical_bytes(value: Any) -> bytes:
    """Return the one byte string that stands for ``value``."""
    text = json.dumps(
        encode(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def sha256_of(value: Any) -> str:
    """Return the SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def _decode_optional(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    inner = next(option for option in get_args(kind) if option is not NoneType)
    return decode(inner, value)


def _decode_dataclass(kind: Any, value: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    odd = value.keys() - hints.keys() | needed - value.keys()
    if odd:
        names = ", ".join(sorted(odd))
        raise ContentError(f"{kind.__name__}: fields missing or unknown: {names}.")
    found = kind(**{name: decode(hints[name], part) for name, part in value.items()})
    if any(
        getattr(found, part.name) == part.default for part in fields(kind) if part.name in value
    ):
        raise ContentError(f"{kind.__name__}: a field is written that has its default.")
    return found


def _expect(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ContentError(f"Expected {kind.__name__}, found {type(value).__name__}.")
    return value
