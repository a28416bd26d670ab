"""Acknowledgements: MSA-2 echoes the control ID, sender and receiver change places."""

import enum
from dataclasses import dataclass
from datetime import UTC, datetime

from exchange.hl7v2.envelope import VERSIONS, Envelope
from exchange.hl7v2.message import Segment
from exchange.hl7v2.people import IncomingPatient
from exchange.refusals import MESSAGES, Refusal

SEPARATORS = "|^~\\&"
ESCAPES = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\",
     "\r": " ", "\n": " "}
)  # fmt: skip
REPLY_EVENTS = {"OML": ("ORL", "O22", "ORL_O22"), "ORM": ("ORR", "O02", "ORR_O02")}
WITH_STRUCTURE = ("2.4", "2.5", "2.5.1")
ERR_BY_FIELDS = ("2.5", "2.5.1")


class Ack(enum.StrEnum):
    """Table 0008: application and accept acknowledgement codes."""

    ACCEPTED = "AA"
    ERROR = "AE"
    REJECTED = "AR"
    COMMIT_ACCEPTED = "CA"
    COMMIT_ERROR = "CE"
    COMMIT_REJECTED = "CR"

    @property
    def committing(self) -> "Ack":
        """The accept acknowledgement that says the same (enhanced mode)."""
        return Ack("C" + self.value[1])


@dataclass(frozen=True, slots=True)
class OrderReply:
    """What became of one order: ORC-1 of the reply and both order numbers."""

    control: str
    placer_number: str
    filler_number: str


@dataclass(frozen=True, slots=True)
class Done:
    """What an accepted message of orders did: for whom, and to which orders."""

    patient: IncomingPatient
    orders: tuple[OrderReply, ...]


def code_for(refusal: Refusal | None) -> Ack:
    """Return AA, or AE and AR for a refusal."""
    if refusal is None:
        return Ack.ACCEPTED
    return Ack.REJECTED if refusal.rejects else Ack.ERROR


def compose(
    envelope: Envelope,
    *,
    reply_id: str,
    refusal: Refusal | None = None,
    done: Done | None = None,
    said: str = "",
    plain: bool = False,
) -> tuple[bytes, ...]:
    """Return the messages that answer a message, none where the sender wants none.

    In original mode one application reply; in enhanced mode an accept acknowledgement, the
    application reply, or both, as MSH-15 and MSH-16 ask. `plain` sends ACK for ORL and ORR.
    `said` goes with an acceptance, in MSA-3, where there is more to say than yes.
    """
    code = code_for(refusal)
    application = _application(envelope, reply_id, code, refusal, done, plain, said)
    if not envelope.is_enhanced:
        return (application,)
    accept = _plain_ack(envelope, reply_id, code.committing, refusal)
    wanted = (
        accept if _wants(envelope.accept_ack, code) else b"",
        application if _wants(envelope.application_ack, code) else b"",
    )
    return tuple(filter(None, wanted))


def _wants(condition: str, code: Ack) -> bool:
    """Table 0155: always, never, on errors, on success; a condition that it lacks means always."""
    is_error = code != Ack.ACCEPTED
    known = {"": False, "NE": False, "ER": is_error, "SU": not is_error}
    return known.get(condition, True)


def _application(
    envelope: Envelope,
    reply_id: str,
    code: Ack,
    refusal: Refusal | None,
    done: Done | None,
    plain: bool,  # noqa: FBT001 - handed on
    said: str,
) -> bytes:
    kind = REPLY_EVENTS.get(envelope.message_type)
    if kind is None or plain:
        return _plain_ack(envelope, reply_id, code, refusal, said)
    segments = _head(envelope, "^".join(kind), reply_id, code, refusal)
    return _encode([*segments, *(_response(done) if done else [])])


def _response(done: Done) -> list[str]:
    """The orders stand under the patient whom they are for."""
    number = f"{escape(done.patient.number.mrn)}^^^{escape(done.patient.number.issuer)}^MR"
    name = f"{escape(done.patient.family_name)}^{escape(done.patient.given_name)}"
    orders = [
        f"ORC|{order.control}|{escape(order.placer_number)}"
        f"|{escape(order.filler_number)}^HEMATOVISION"
        for order in done.orders
    ]
    return [f"PID|||{number}||{name}", *orders]


def _plain_ack(
    envelope: Envelope, reply_id: str, code: Ack, refusal: Refusal | None, said: str = ""
) -> bytes:
    event = envelope.event if envelope.event.isalnum() and len(envelope.event) == 3 else ""
    kind = f"ACK^{event}^ACK" if event else "ACK"
    return _encode(_head(envelope, kind, reply_id, code, refusal, said))


def _head(
    envelope: Envelope,
    kind: str,
    reply_id: str,
    code: Ack,
    refusal: Refusal | None,
    said: str = "",
) -> list[str]:
    version = envelope.version if envelope.version in VERSIONS else "2.5.1"
    if version not in WITH_STRUCTURE:
        kind = "^".join(kind.split("^")[:2])
    own = _moved(envelope.header, 5) or "HEMATOVISION"
    fields = [
        "MSH", SEPARATORS[1:], own, _moved(envelope.header, 6), _moved(envelope.header, 3),
        _moved(envelope.header, 4), f"{datetime.now(UTC):%Y%m%d%H%M%S}+0000", "", kind, reply_id,
        envelope.processing_id if envelope.processing_id in {"P", "T", "D"} else "P", version,
        "", "", "", "", "", "UNICODE UTF-8",
    ]  # fmt: skip
    text = escape(str(refusal) if refusal else said)
    msa = f"MSA|{code}|{escape(envelope.control_id)}" + (f"|{text}" if text else "")
    return ["|".join(fields), msa, *([_err(refusal, version)] if refusal else [])]


def _err(refusal: Refusal, version: str) -> str:
    """ERR-2, -3, -4 and -8 came with 2.5; before, ERR-1 held place and code."""
    name = MESSAGES[refusal.code]
    if version in ERR_BY_FIELDS:
        coded = f"{refusal.code}^{name}^HL70357"
        return f"ERR||{refusal.location}|{coded}|E||||{escape(str(refusal))}"
    place = [*refusal.location.split("^"), "", ""][:3]
    return f"ERR|{'^'.join(place)}^{refusal.code}&{name}&HL70357"


def _moved(header: Segment, field: int) -> str:
    """Return an HD field of the header with the reply's own separators."""
    parts = [escape(header.text(field, place)) for place in (1, 2, 3)]
    return "^".join(parts).rstrip("^")


def _encode(segments: list[str]) -> bytes:
    return ("\r".join(segments) + "\r").encode()


def escape(text: str) -> str:
    """Return text fit for a field."""
    return text.translate(ESCAPES)
