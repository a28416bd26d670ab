"""A stored message segment by segment, with or without what identifies the patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.models import OutboundMessage
from reports.hl7.encoding import CODECS, SEGMENT_END

HIDDEN_SIGN: Final = "•••"
LONG: Final = 400
NAMES: Final[Mapping[str, str]] = {
    "MSH": "Header",
    "PID": "Patient",
    "ORC": "Order",
    "OBR": "Request",
    "TQ1": "Priority",
    "NTE": "Comment",
    "OBX": "Result",
    "SPM": "Specimen",
}
# Identifiers, names and dates of people, and free text, which may hold them.
IDENTIFYING: Final[Mapping[str, Sequence[int]]] = {
    "PID": (3, 5, 7),
    "ORC": (12,),
    "OBR": (13, 16),
    "NTE": (3,),
}
FREE_TEXT: Final = ("FT", "TX")


@dataclass(frozen=True, slots=True)
class Value:
    """A field that holds something: its number, its text, whether that was hidden."""

    number: int
    text: str
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment with the fields that hold something."""

    name: str
    meaning: str
    values: tuple[Value, ...]


def list_segments(message: OutboundMessage, *, with_identities: bool) -> list[Segment]:
    """Return the segments of a message as a person reads them; files only by their size."""
    text = bytes(message.body).decode(CODECS[message.charset])
    lines = text.rstrip(SEGMENT_END).split(SEGMENT_END) if text else []
    return [_segment(line, with_identities=with_identities) for line in lines]


def _segment(line: str, *, with_identities: bool) -> Segment:
    name, *fields = line.split("|")
    first = 2 if name == "MSH" else 1
    hidden = set() if with_identities else _hidden(name, fields)
    values = tuple(
        Value(number, HIDDEN_SIGN if number in hidden else _short(field), number in hidden)
        for number, field in enumerate(fields, start=first)
        if field
    )
    return Segment(name, NAMES.get(name, ""), values)


def _hidden(name: str, fields: Sequence[str]) -> set[int]:
    if name == "OBX" and fields[1] in FREE_TEXT:
        return {5}
    return set(IDENTIFYING.get(name, ()))


def _short(field: str) -> str:
    if len(field) <= LONG:
        return field
    return f"{field[:60]}… ({len(field):,} characters)"
