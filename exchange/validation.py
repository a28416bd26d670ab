"""Strict validation of outgoing HL7 v2 messages: hl7apy's exceptions and its whole report.

hl7apy raises for structure and data types, but only notes in a report file what isn't in a table;
here a note fails too, unless `ALLOWED`. It reads every OBX-5 as short text, whatever OBX-2 says;
so long values are judged apart, each as the data type that OBX-2 names.
"""

import base64
import binascii
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.factories import datatype_factory
from hl7apy.parser import parse_message, parse_segment

from reports.hl7.encoding import SEGMENT_END

VERSION: Final = "2.5.1"
STRICT: Final = VALIDATION_LEVEL.STRICT
LONG_KINDS: Final = ("FT", "TX")
STAND_IN: Final = "x"

ALLOWED: Final = re.compile(
    r"Warning: Value (UCUM|SCT|HL7\d{4}) not in table HL70396 in element \w+\.CW?E_[36]"
)
"""Names of coding systems: two are younger than the table, the third is a pattern in it."""


class InvalidMessage(Exception):
    """A message breaks the standard; its text names elements, never their values."""


def validate(message: str) -> None:
    """Refuse a message that breaks HL7 v2.5.1 in any way that is not allowed by name.

    Raises:
        InvalidMessage: with all that is wrong.
    """
    problems = [*_report(message), *_long_values(message)]
    if problems:
        raise InvalidMessage("; ".join(problems))


def _report(message: str) -> Iterator[str]:
    """Give what hl7apy raises, or each line of its report that isn't allowed."""
    text = _shortened(message)
    with tempfile.TemporaryDirectory(prefix="hl7-") as folder:
        path = Path(folder) / "report"
        try:
            parsed = parse_message(text, validation_level=STRICT, find_groups=True)
            parsed.validate(report_file=str(path))
        except (HL7apyException, ValueError) as error:
            if not path.exists():
                yield from _unreadable(text) or [f"message: {type(error).__name__}"]
        lines = path.read_text().splitlines() if path.exists() else []
    yield from (_without_value(line) for line in lines if not ALLOWED.fullmatch(line))


def _unreadable(text: str) -> list[str]:
    """Name the segments that hl7apy can't read on their own, and why."""
    found = []
    for number, line in enumerate(text.split(SEGMENT_END)[:-1], start=1):
        try:
            parse_segment(line, version=VERSION, validation_level=STRICT)
        except (HL7apyException, ValueError) as error:
            found.append(f"segment {number}, {line[:3]}: {type(error).__name__}")
    return found


def _shortened(message: str) -> str:
    """Put a letter in the place of each long OBX-5, which hl7apy would take for short text."""
    return SEGMENT_END.join(_shorten(line) for line in message.split(SEGMENT_END))


def _shorten(segment: str) -> str:
    fields = segment.split("|")
    if fields[0] != "OBX" or len(fields) < 6:
        return segment
    if fields[2] in LONG_KINDS:
        fields[5] = STAND_IN
    elif fields[2] == "ED":
        fields[5] = "^".join([*fields[5].split("^")[:4], STAND_IN])
    return "|".join(fields)


def _long_values(message: str) -> Iterator[str]:
    for line in message.split(SEGMENT_END):
        fields = line.split("|")
        if fields[0] == "OBX" and len(fields) > 5:
            yield from _value_problems(fields[1], fields[2], fields[5])


def _value_problems(number: str, kind: str, value: str) -> Iterator[str]:
    """Judge one OBX-5 as the data type that its OBX-2 names."""
    if kind == "ED":
        try:
            base64.b64decode(value.rsplit("^", maxsplit=1)[-1], validate=True)
        except binascii.Error:
            yield f"OBX {number}: the file isn't in base64"
        return
    try:
        datatype_factory(kind, value, VERSION, STRICT)
    except (HL7apyException, ValueError):
        yield f"OBX {number}: the value is no {kind}"


def _without_value(line: str) -> str:
    """Return a line of the report without the value that it quotes: it may be a patient's."""
    return re.sub(r"^(\w+: Value) .* (not in table)", r"\1 \2", line)
