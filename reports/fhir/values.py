"""The data types of FHIR that a report needs, as plain JSON values."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from reports.codes import LOINC_SYSTEM, UCUM_SYSTEM, Code

Resource = dict[str, Any]
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"


def without_gaps(value: dict[str, Any]) -> dict[str, Any]:
    """Return ``value`` without what is None or empty: FHIR knows no empty elements."""
    return {name: item for name, item in value.items() if item not in (None, "", [], {})}


def instant(value: datetime) -> str:
    """Return a moment of the system to the millisecond, in UTC."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def date_time(value: datetime) -> str:
    """Return a clinical moment to the second in UTC."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def coding(system: str, code: str, display: str = "") -> dict[str, Any]:
    """Return a code of a system."""
    return without_gaps({"system": system, "code": code, "display": display})


def concept(*codings: dict[str, Any], text: str = "") -> dict[str, Any]:
    """Return a concept of codings and words."""
    return without_gaps({"coding": list(codings), "text": text})


def loinc(code: Code, text: str = "") -> dict[str, Any]:
    """Return a concept of LOINC."""
    return concept(coding(LOINC_SYSTEM, code.code, code.display), text=text)


def quantity(value: Decimal | int, unit: str) -> dict[str, Any]:
    """Return a value with its UCUM unit."""
    return {"value": value, "unit": unit, "system": UCUM_SYSTEM, "code": unit}


def reference(kind: str, ident: str, display: str = "") -> dict[str, Any]:
    """Return a reference to a resource of this server."""
    return without_gaps({"reference": f"{kind}/{ident}", "display": display})


def notes(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Return remarks, empty ones left out."""
    return [{"text": text} for text in texts if text]
