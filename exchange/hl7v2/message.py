"""A message as segments and fields: what HL7 v2 calls its encoding rules (2.5.1 chapter 2)."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from exchange.hl7v2.charsets import codec_for, decode
from exchange.refusals import SEGMENT_SEQUENCE, Refusal

MOST_SEGMENTS = 2000
SENT_AT = 6
"""Where MSH-7 lies, counting from MSH itself."""
HEADER = re.compile(rb"[\r\n]")
ESCAPE_NAMES = {"F": 0, "S": 1, "R": 2, "E": 3, "T": 4}
LINE_BREAKS = frozenset({".br", ".sp", ".ce"})
FORMATTING = frozenset({"H", "N", ".fi", ".nf"})


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; fields are kept as sent and read by position, counted from 1 as HL7 does."""

    name: str
    fields: tuple[str, ...]
    separators: str
    number: int = 1

    def raw(self, field: int) -> str:
        """Return a field as it was sent, "" if it is missing."""
        return self.fields[field - 1] if 0 < field <= len(self.fields) else ""

    def repetitions(self, field: int) -> list["Field"]:
        """Return the values of a field that may repeat; those that are empty are left out."""
        parts = self.raw(field).split(self.separators[2])
        return [Field(part, self.separators) for part in parts if part]

    def text(self, field: int, component: int = 1, part: int = 1) -> str:
        """Return a component of a field's first value, decoded; `""` (delete) reads as empty."""
        values = self.repetitions(field)
        return values[0].text(component, part) if values else ""

    def location(self, field: int) -> str:
        """Return the place of a field as ERR-2 names it."""
        return f"{self.name}^{self.number}^{field}"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a field, made of components and subcomponents."""

    raw: str
    separators: str

    def text(self, component: int = 1, part: int = 1) -> str:
        """Return a component without its escapes and outer space, "" if it is missing."""
        value = _nth(_nth(self.raw, self.separators[1], component), self.separators[4], part)
        found = unescape(value, self.separators).strip()
        return "" if found == '""' else found


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message in the order of its segments, with notes on what was read leniently."""

    segments: tuple[Segment, ...]
    notes: tuple[str, ...] = ()

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    def first(self, name: str) -> Segment | None:
        """Return the first segment of a name."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Segment]:
        """Return every segment of a name."""
        return (segment for segment in self.segments if segment.name == name)

    def groups(self, start: str) -> list["Message"]:
        """Cut the message into groups that begin with a segment; what precedes is left out."""
        cut: list[list[Segment]] = []
        for segment in self.segments:
            if segment.name == start:
                cut.append([])
            if cut:
                cut[-1].append(segment)
        return [Message(tuple(group)) for group in cut]


def read_header(data: bytes) -> Segment:
    """Return the MSH segment read as ASCII: enough to answer a message that can't be read.

    Raises:
        Refusal: the bytes don't begin with a usable MSH segment.
    """
    line = HEADER.split(data.lstrip(b"\r\n \t"), maxsplit=1)[0].decode("ascii", "replace")
    return _read_header(line)


def parse(data: bytes, default_charset: str = "ASCII") -> Message:
    """Read a message: MSH-18 names the characters, MSH-1 and MSH-2 the separators.

    Segments end with a carriage return; line feeds are taken as well, with a note.

    Raises:
        Refusal: no header, wrong characters, a line that is no segment, too many segments.
    """
    charset = read_header(data).text(18)
    text = decode(data, codec_for(charset, default_charset)).strip("\r\n \t")
    notes: tuple[str, ...] = ()
    if "\n" in text:
        text = text.replace("\r\n", "\r").replace("\n", "\r")
        notes = ("Segments ended with line feeds instead of carriage returns.",)
    lines = [line for line in text.split("\r") if line.strip()]
    if len(lines) > MOST_SEGMENTS:
        raise Refusal("The message has too many segments.", rejects=True)
    header = _read_header(lines[0])
    return Message((header, *_read_segments(lines[1:], header.separators)), notes)


def digest_of(data: bytes) -> str:
    """Return SHA-256 (hexadecimal) of a message without MSH-7, the time of sending."""
    header, *rest = HEADER.split(data.strip(b"\r\n \t"), maxsplit=1)
    fields = header.split(header[3:4] or b"|")
    if len(fields) > SENT_AT:
        fields[SENT_AT] = b""
    return hashlib.sha256(b"\r".join([b"\x1f".join(fields), *rest])).hexdigest()


def unescape(text: str, separators: str) -> str:
    r"""Return text with \F\ \S\ \T\ \R\ \E\, \Xdd\ and line breaks resolved.

    Sequences that mean nothing here stay as they are.
    """
    sign = separators[3]
    if sign not in text:
        return text
    pieces = text.split(sign)
    out = [pieces[0]]
    at = 1
    while at < len(pieces):
        meaning = _meaning(pieces[at], separators) if at + 1 < len(pieces) else None
        if meaning is None:
            out += [sign, pieces[at]]
            at += 1
        else:
            out += [meaning, pieces[at + 1]]
            at += 2
    return "".join(out)


def _meaning(name: str, separators: str) -> str | None:
    if name in ESCAPE_NAMES:
        return separators[ESCAPE_NAMES[name]]
    if name in FORMATTING:
        return ""
    if name in LINE_BREAKS:
        return "\n"
    if name.startswith("X") and re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", name):
        return _printable(bytes.fromhex(name[1:]))
    return None


def _printable(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return None if any(sign < " " and sign not in "\n\t" for sign in text) else text


def _nth(text: str, separator: str, place: int) -> str:
    parts = text.split(separator)
    return parts[place - 1] if place <= len(parts) else ""


def _read_header(line: str) -> Segment:
    """MSH-1 is the separator itself, so the fields after it are counted one further."""
    if not line.startswith("MSH") or len(line) < 8:
        raise Refusal(
            "The message does not begin with an MSH segment.", code=SEGMENT_SEQUENCE, rejects=True
        )
    separator = line[3]
    fields = line.split(separator)
    encoding = fields[1]
    separators = separator + (encoding + "^~\\&"[len(encoding) :])[:4]
    if len(set(separators)) < 5 or any(sign.isalnum() or sign.isspace() for sign in separators):
        raise Refusal("The separators in MSH-1 and MSH-2 can't be used.", rejects=True)
    return Segment("MSH", (separator, *fields[1:]), separators)


def _read_segments(lines: list[str], separators: str) -> Iterator[Segment]:
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=2):
        name, *fields = line.split(separators[0])
        if not re.fullmatch(r"[A-Z][A-Z0-9]{2}", name):
            raise Refusal(f"Line {number} is not a segment.", code=SEGMENT_SEQUENCE)
        seen[name] = seen.get(name, 0) + 1
        yield Segment(name, tuple(fields), separators, seen[name])
