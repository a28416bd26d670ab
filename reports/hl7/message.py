"""The result message: who sends it to whom, and its segments in the order of ORU_R01."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from reports import codes
from reports.content import ReportContent, Signature
from reports.hl7 import segments
from reports.hl7.encoding import SEGMENT_END, SEPARATORS, Field, moment, write_segment
from reports.hl7.findings import Note, Observation, list_findings, loinc
from reports.hl7.observations import write_observation

MESSAGE_TYPE = ("ORU", "R01", "ORU_R01")
VERSION = "2.5.1"
REMARK = ("RE", "Remark", "HL70364")
FILE_KIND = ("AP", "PDF", "Base64")


@dataclass(frozen=True, slots=True)
class Party:
    """An application at a facility, as MSH names senders and receivers."""

    application: str
    facility: str


@dataclass(frozen=True, slots=True)
class PlacerOrder:
    """The number that the ordering system gave to the order."""

    number: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a message says beside the report: parties, control id, time, how to answer.

    ``sends_snomed`` needs a licence on both sides. ``is_enhanced`` asks for an answer as soon as
    the message is stored and for none later.
    """

    sender: Party
    receiver: Party
    control_id: str
    written_at: datetime
    charset: str = "UNICODE UTF-8"
    is_enhanced: bool = False
    sends_snomed: bool = False
    placer: PlacerOrder | None = None


def render_oru(content: ReportContent, pdf: bytes | None, envelope: Envelope) -> str:
    """Return the ORU^R01 for a signed report, its segments ended by carriage returns.

    The same content and envelope give the same message. Without ``pdf`` none is sent along.

    Raises:
        ValueError: the content isn't signed.
    """
    signature = content.signature
    if signature is None:
        raise ValueError("Only a signed report becomes a message.")
    lines = (
        _header(content, envelope),
        segments.patient(content),
        segments.order(content, envelope.placer, envelope.sender.application),
        segments.request(content, signature, envelope.placer, envelope.sender),
        segments.timing(content),
        *_notes(segments.report_notes(content)),
        *_results(content, signature, pdf, envelope),
        segments.specimen(content, envelope.sender.application, sends_snomed=envelope.sends_snomed),
    )
    return "".join(line + SEGMENT_END for line in lines)


def _header(content: ReportContent, envelope: Envelope) -> str:
    fields: dict[int, Field] = {
        3: (envelope.sender.application,),
        4: (envelope.sender.facility,),
        5: (envelope.receiver.application,),
        6: (envelope.receiver.facility,),
        7: moment(envelope.written_at),
        9: MESSAGE_TYPE,
        10: envelope.control_id,
        11: "T" if content.laboratory.is_demo else "P",
        12: VERSION,
        15: "AL" if envelope.is_enhanced else "",
        16: "NE" if envelope.is_enhanced else "",
        18: envelope.charset,
    }
    written = write_segment("MSH", {number - 1: value for number, value in fields.items()})
    return written.replace("MSH|", f"MSH|{SEPARATORS}", 1)


def _results(
    content: ReportContent, signature: Signature, pdf: bytes | None, envelope: Envelope
) -> Iterator[str]:
    found = list(list_findings(content))
    if pdf is not None:
        found.append(_document(pdf, envelope.sender.application))
    frame = segments.frame_of(content, signature, envelope.sender)
    for number, item in enumerate(found, start=1):
        yield write_observation(number, item, frame)
        yield from _notes(item.notes)


def _notes(notes: tuple[Note, ...]) -> Iterator[str]:
    """Write comments as NTE of the laboratory (L in table 0105), remarks all (RE in 0364)."""
    for number, text in enumerate(notes, start=1):
        yield write_segment(
            "NTE", {1: str(number), 2: "L", 3: text, 4: ("RE", "Remark", "HL70364")}
        )


def _document(pdf: bytes, application: str) -> Observation:
    return Observation(
        code=loinc(codes.LABORATORY_REPORT),
        kind="ED",
        value=((application,), *FILE_KIND, base64.b64encode(pdf).decode()),
    )
