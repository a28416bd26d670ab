r"""How HL7 v2 writes values: separators, escapes, moments, character sets.

A field is text, a tuple of components (each text or a tuple of subcomponents), or a list of
repetitions of these. Text is escaped here and nowhere else: ``| ^ & ~ \`` become ``\F\ \S\ \T\
\R\ \E\``, a line break ``\.br\``, any other control character its hexadecimal escape.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

Subcomponents = tuple[str, ...]
Components = tuple[str | Subcomponents, ...]
Field = str | Components | list[str | Components]

SEGMENT_END: Final = "\r"
SEPARATORS: Final = "^~\\&"
ESCAPES: Final = {
    "\\": "\\E\\",
    "|": "\\F\\",
    "^": "\\S\\",
    "&": "\\T\\",
    "~": "\\R\\",
    "\n": "\\.br\\",
}
CODECS: Final[Mapping[str, str]] = {
    "UNICODE UTF-8": "utf-8",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/15": "iso8859-15",
    "ASCII": "ascii",
}
"""What MSH-18 calls a character set (HL7 table 0211) -> Python's name."""

# Signs of typography that mean the same in plain letters. Letters of names are never replaced.
PLAIN: Final = str.maketrans(
    {
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
        "\u2010": "-",
        "\u2011": "-",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2026": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u00d7": "x",
        "\u00b5": "u",
        "\u03bc": "u",
        "\u2264": "<=",
        "\u2265": ">=",
        "\u2192": "->",
        "\u2191": "",
        "\u2193": "",
    }
)
POWERS: Final = {"10\u2079": "10*9", "10\u00b3": "10*3"}


class CannotBeWritten(Exception):
    """The message can't be written in the receiver's character set without losing something."""


def escape(text: str) -> str:
    """Return text that stands for itself between separators."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        ESCAPES.get(sign) or (f"\\X{ord(sign):02X}\\" if sign < " " else sign) for sign in lines
    )


def one_line(text: str) -> str:
    """Return text whose line breaks are spaces, for fields that have no lines."""
    return " ".join(text.split())


def moment(value: datetime) -> str:
    """Return a time to the second in UTC, with its offset (data type TS)."""
    return value.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")


def day(value: date) -> str:
    """Return a date without time (data type TS to the day)."""
    return value.strftime("%Y%m%d")


def write_segment(name: str, fields: Mapping[int, Field]) -> str:
    """Return one segment without its end; ``fields`` are numbered as in the standard."""
    last = max((number for number, value in fields.items() if value), default=0)
    return "|".join([name, *(_field(fields.get(number, "")) for number in range(1, last + 1))])


def encode(message: str, charset: str) -> bytes:
    """Return the message in the receiver's character set.

    Where it lacks signs of typography, their plain forms stand in; a letter is never replaced.

    Raises:
        CannotBeWritten: it has no code for a letter; the message names it, not where it stands.
    """
    codec = CODECS[charset]
    try:
        return message.encode(codec)
    except UnicodeEncodeError:
        plain = _without_typography(message, codec)
    missing = sorted({sign for sign in plain if not _has(codec, sign)})
    if missing:
        signs = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in missing[:5])
        raise CannotBeWritten(f"The receiver's character set {charset} has no {signs}.")
    return plain.encode(codec)


def _without_typography(message: str, codec: str) -> str:
    for power, plain in POWERS.items():
        if not _has(codec, power):
            message = message.replace(power, plain)
    lacking = {sign: word for sign, word in PLAIN.items() if not _has(codec, chr(sign))}
    return message.translate(lacking)


def _has(codec: str, text: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _field(value: Field) -> str:
    if isinstance(value, list):
        return "~".join(_components(item) for item in value)
    return _components(value)


def _components(value: str | Components) -> str:
    if isinstance(value, str):
        return escape(value)
    return "^".join(_trimmed([_subcomponents(item) for item in value]))


def _subcomponents(value: str | Subcomponents) -> str:
    if isinstance(value, str):
        return escape(value)
    return "&".join(_trimmed([escape(item) for item in value]))


def _trimmed(parts: list[str]) -> list[str]:
    """Drop empty parts at the end."""
    while parts and not parts[-1]:
        parts.pop()
    return parts
