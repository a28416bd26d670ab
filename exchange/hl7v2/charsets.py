"""The character sets that MSH-18 may name (HL7 table 0211) and how their bytes are read."""

from exchange.refusals import NOT_IN_TABLE, Refusal

CHARSETS = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "ISO IR100": "iso8859-1",
    "ISO IR101": "iso8859-2",
    "ISO IR109": "iso8859-3",
    "ISO IR110": "iso8859-4",
    "ISO IR144": "iso8859-5",
    "ISO IR127": "iso8859-6",
    "ISO IR126": "iso8859-7",
    "ISO IR138": "iso8859-8",
    "ISO IR148": "iso8859-9",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
} | {f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 10), 15)}
"""Name in MSH-18 -> Python's codec."""

LOCATION = "MSH^1^18"


def codec_for(name: str, default: str) -> str:
    """Return the codec for what MSH-18 says; where it is empty, the one agreed with the sender.

    Raises:
        Refusal: the set is not known here.
    """
    wanted = " ".join(name.upper().split()) or default
    codec = CHARSETS.get(wanted)
    if codec is None:
        raise Refusal(
            "The character set in MSH-18 is not known here.",
            code=NOT_IN_TABLE,
            location=LOCATION,
            rejects=True,
        )
    return codec


def decode(data: bytes, codec: str) -> str:
    """Decode strictly: one byte that does not fit refuses the message.

    Raises:
        Refusal: bytes outside the character set, or control characters in the text.
    """
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise Refusal(
            f"Byte {error.start + 1} does not belong to the character set of MSH-18.",
            location=LOCATION,
            rejects=True,
        ) from error
    if any(sign < " " and sign not in "\r\n\t" for sign in text):
        raise Refusal("The message holds control characters.", rejects=True)
    return text
