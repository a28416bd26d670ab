"""Resources as JSON text: decimals keep the digits that were stated (R4, "decimal")."""

import json
from decimal import Decimal
from typing import Any


def to_json(value: Any) -> str:
    """Return ``value`` as compact JSON; a Decimal is written with its digits, 62.0 as 62.0."""
    match value:
        case Decimal():
            return format(value, "f")
        case dict():
            return "{" + ",".join(f"{json.dumps(k)}:{to_json(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ",".join(map(to_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def to_bytes(resource: dict[str, Any]) -> bytes:
    """Return a resource as UTF-8."""
    return to_json(resource).encode()
