"""What MSH says of a message: sender, kind, control ID and how it wants to be answered."""

from dataclasses import dataclass

from exchange.hl7v2.message import Segment
from exchange.refusals import (
    REQUIRED_MISSING,
    UNSUPPORTED_EVENT,
    UNSUPPORTED_PROCESSING,
    UNSUPPORTED_TYPE,
    UNSUPPORTED_VERSION,
    Refusal,
)

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1")
EVENTS = {"OML": "O21", "ORM": "O01", "ORU": "R01", "ADT": "A40"}
"""Message type -> its event; each type is taken with this one alone."""

LONGEST_CONTROL_ID = 199


@dataclass(frozen=True, slots=True)
class Envelope:
    """The MSH segment; `accept_ack` and `application_ack` are MSH-15 and MSH-16."""

    sending_application: str
    sending_facility: str
    receiving_application: str
    receiving_facility: str
    message_type: str
    event: str
    control_id: str
    processing_id: str
    version: str
    accept_ack: str
    application_ack: str
    charset: str
    header: Segment

    @property
    def is_enhanced(self) -> bool:
        """True if the sender asks for accept acknowledgements (enhanced mode)."""
        return bool(self.accept_ack or self.application_ack)


def read_envelope(header: Segment) -> Envelope:
    """Return what an MSH segment says, however odd; `check` judges it."""
    return Envelope(
        sending_application=header.raw(3),
        sending_facility=header.raw(4),
        receiving_application=header.raw(5),
        receiving_facility=header.raw(6),
        message_type=header.text(9, 1).upper(),
        event=header.text(9, 2).upper(),
        control_id=header.text(10),
        processing_id=header.text(11).upper(),
        version=header.text(12),
        accept_ack=header.text(15).upper(),
        application_ack=header.text(16).upper(),
        charset=header.text(18),
        header=header,
    )


def check(envelope: Envelope) -> None:
    """Refuse kinds, versions and modes that are not taken here.

    Raises:
        Refusal: always a rejection, since sending the same again would not help.
    """
    if not envelope.control_id:
        raise _rejection("MSH-10, the control ID, is missing.", REQUIRED_MISSING, 10)
    if len(envelope.control_id) > LONGEST_CONTROL_ID:
        raise _rejection("MSH-10, the control ID, is too long.", REQUIRED_MISSING, 10)
    if envelope.message_type not in EVENTS:
        raise _rejection("Messages of this type are not taken here.", UNSUPPORTED_TYPE, 9)
    if envelope.event != EVENTS[envelope.message_type]:
        raise _rejection("Messages of this event are not taken here.", UNSUPPORTED_EVENT, 9)
    if envelope.processing_id != "P":
        text = "Only production messages are taken here (P in MSH-11)."
        raise _rejection(text, UNSUPPORTED_PROCESSING, 11)
    if envelope.version not in VERSIONS:
        raise _rejection("Versions 2.3 to 2.5.1 are taken here.", UNSUPPORTED_VERSION, 12)


def _rejection(text: str, code: str, field: int) -> Refusal:
    return Refusal(text, code=code, location=f"MSH^1^{field}", rejects=True)
