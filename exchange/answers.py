"""Reading acknowledgements: which message they answer, and what became of it."""

from dataclasses import dataclass
from typing import Final

import hl7

from exchange.enums import DeliveryStep

# HL7 table 0008. In enhanced mode the receiver says C for having stored the message.
STEPS: Final = {
    "AA": DeliveryStep.ACCEPTED,
    "CA": DeliveryStep.ACCEPTED,
    "AE": DeliveryStep.REJECTED,
    "CE": DeliveryStep.REJECTED,
    "AR": DeliveryStep.REFUSED,
    "CR": DeliveryStep.REFUSED,
}


class Unreadable(Exception):
    """The answer is no acknowledgement."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What MSA says: the step, the control id of the message it answers, and words if any."""

    step: DeliveryStep
    code: str
    control_id: str
    words: str


def read_answer(data: bytes) -> Answer:
    """Return what an acknowledgement says; its texts may be in any character set.

    Raises:
        Unreadable: it has no MSH or MSA, or MSA-1 isn't in table 0008.
    """
    try:
        message = hl7.parse(as_text(data))
        msa = message.segment("MSA")
        code = str(msa[1]).strip().upper()
        control_id = str(msa[2]).strip()
    except (hl7.HL7Exception, KeyError, IndexError, ValueError, AssertionError) as error:
        raise Unreadable("The answer is no acknowledgement.") from error
    if code not in STEPS:
        raise Unreadable("The answer has a code that is not in table 0008.")
    return Answer(STEPS[code], code, control_id, _words(message))


def as_text(data: bytes) -> str:
    """Return an answer as text that can be stored: segments end with a carriage return."""
    text = data.decode("utf-8", errors="replace").replace("\x00", "\ufffd")
    return text.replace("\r\n", "\r").replace("\n", "\r").strip("\r \t")


def _words(message: hl7.Message) -> str:
    """Return MSA-3 and what ERR segments say to people (ERR-8), or their codes (ERR-3)."""
    found = [_field(message.segment("MSA"), 3)]
    try:
        errors = message.segments("ERR")
    except KeyError:
        errors = []
    for error in errors:
        where, code, words = (_field(error, number) for number in (2, 3, 8))
        found.append(" ".join(filter(None, (words or code, f"({where})" if where else ""))))
    return "; ".join(filter(None, found))


def _field(segment: hl7.Segment, number: int) -> str:
    try:
        return str(segment[number]).strip()
    except IndexError:
        return ""
