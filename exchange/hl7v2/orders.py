"""OML^O21 and ORM^O01 as sent in real life, read into frozen values."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from exchange.hl7v2.codes import PRIORITIES, SPECIMENS, meaning
from exchange.hl7v2.message import Message, Segment
from exchange.hl7v2.moments import is_bare_day, read_moment
from exchange.hl7v2.people import IncomingPatient, read_clinician, read_patient
from exchange.refusals import NOT_IN_TABLE, REQUIRED_MISSING, SEGMENT_SEQUENCE, Refusal

LONGEST_PLACER_NUMBER = 60
LONGEST_DETAILS = 4000
MOST_ORDERS = 50


class OrderControl(enum.StrEnum):
    """What ORC-1 asks for (table 0119)."""

    NEW = "NW"
    CANCEL = "CA"
    CHANGE = "XO"


@dataclass(frozen=True, slots=True)
class Coding:
    """A code with its text and coding system."""

    code: str
    text: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class IncomingOrder:
    """One order group of a message. Times are UTC; None and "" mean that nothing was sent."""

    control: OrderControl
    placer_number: str
    patient: IncomingPatient
    tests: tuple[Coding, ...] = ()
    requester: str = ""
    priority: str = ""
    specimen_type: str = ""
    collected_at: datetime | None = None
    received_at: datetime | None = None
    ordered_at: datetime | None = None
    clinical_details: str = ""
    notes: tuple[str, ...] = ()


def read_orders(message: Message, *, zone: tzinfo, default_issuer: str) -> list[IncomingOrder]:
    """Return every order of a message; one that can't be read refuses the whole message.

    Raises:
        Refusal: a segment or field is missing, or says what is not understood.
    """
    groups = message.groups("ORC")
    if not groups:
        raise Refusal("The ORC segment is missing.", code=SEGMENT_SEQUENCE, location="ORC^1")
    if len(groups) > MOST_ORDERS:
        raise Refusal("The message holds too many orders.", code=SEGMENT_SEQUENCE, rejects=True)
    patient = read_patient(message.first("PID"), default_issuer)
    return [_read_order(group, patient, zone, message.notes) for group in groups]


def _read_order(
    group: Message, patient: IncomingPatient, zone: tzinfo, notes: tuple[str, ...]
) -> IncomingOrder:
    orc, obr, spm = group.segments[0], group.first("OBR"), group.first("SPM")
    control = _control(orc)
    if obr is None and control != OrderControl.CANCEL:
        raise Refusal("The OBR segment is missing.", code=SEGMENT_SEQUENCE, location="OBR^1")
    collected, collected_notes = _time(zone, (spm, 17), (obr, 7))
    received, received_notes = _time(zone, (spm, 18), (obr, 14))
    return IncomingOrder(
        control=control,
        placer_number=_placer_number(orc, obr),
        patient=patient,
        tests=_codings(obr),
        requester=read_clinician((obr, 16), (orc, 12)),
        priority=_priority(group, orc, obr),
        specimen_type=_specimen_type(spm, obr),
        collected_at=collected,
        received_at=received,
        ordered_at=_time(zone, (orc, 9), (orc, 15), (obr, 6))[0],
        clinical_details=_details(group, obr),
        notes=(*notes, *collected_notes, *received_notes),
    )


def _control(orc: Segment) -> OrderControl:
    code = orc.text(1).upper()
    if not code:
        raise Refusal("ORC-1 is missing.", code=REQUIRED_MISSING, location=orc.location(1))
    if code not in set(OrderControl):
        raise Refusal(
            "Orders are new (NW), changed (XO) or cancelled (CA); nothing else is taken.",
            code=NOT_IN_TABLE,
            location=orc.location(1),
        )
    return OrderControl(code)


def _placer_number(orc: Segment, obr: Segment | None) -> str:
    number = orc.text(2) or (obr.text(2) if obr else "")
    if not number:
        text = "The placer order number is missing."
        raise Refusal(text, code=REQUIRED_MISSING, location=orc.location(2))
    if len(number) > LONGEST_PLACER_NUMBER:
        raise Refusal("The placer order number is too long.", location=orc.location(2))
    if obr and obr.text(2) not in {"", number}:
        text = "ORC-2 and OBR-2 name different orders."
        raise Refusal(text, location=obr.location(2))
    return number


def _codings(obr: Segment | None) -> tuple[Coding, ...]:
    """Return the test of OBR-4 and its alternate code."""
    if obr is None:
        return ()
    value = obr.repetitions(4)
    pairs = [
        Coding(value[0].text(first), value[0].text(first + 1), value[0].text(first + 2))
        for first in (1, 4)
        if value and value[0].text(first)
    ]
    if not pairs:
        text = "The requested test is missing."
        raise Refusal(text, code=REQUIRED_MISSING, location=obr.location(4))
    return tuple(pairs)


def _priority(group: Message, orc: Segment, obr: Segment | None) -> str:
    """TQ1-9 came with version 2.5; before, it was a component of OBR-27 or ORC-7."""
    timing = group.first("TQ1")
    places: list[tuple[Segment | None, int, int]] = [
        (timing, 9, 1), (obr, 27, 6), (orc, 7, 6), (obr, 5, 1),
    ]  # fmt: skip
    for segment, field, component in places:
        if segment and (code := segment.text(field, component)):
            return meaning(PRIORITIES, code, "priority", segment.location(field))
    return ""


def _specimen_type(spm: Segment | None, obr: Segment | None) -> str:
    for segment, field in ((spm, 4), (obr, 15)):
        if segment and (code := segment.text(field)):
            return meaning(SPECIMENS, code, "specimen type", segment.location(field))
    return ""


def _time(
    zone: tzinfo, *places: tuple[Segment | None, int]
) -> tuple[datetime | None, tuple[str, ...]]:
    for segment, field in places:
        if segment and (text := segment.text(field)):
            notes = (f"{segment.name}-{field} gave a day without a time of day.",)
            moment = read_moment(text, zone, segment.location(field))
            return moment, notes if is_bare_day(text) else ()
    return None, ()


def _details(group: Message, obr: Segment | None) -> str:
    return "\n".join(dict.fromkeys(_detail_lines(group, obr)))[:LONGEST_DETAILS]


def _detail_lines(group: Message, obr: Segment | None) -> Iterator[str]:
    """Clinical information, reasons, comments and diagnoses, each once."""
    if obr:
        yield from filter(None, (obr.text(13),))
        for reason in obr.repetitions(31):
            yield from filter(None, (reason.text(2) or reason.text(1),))
    for note in group.all("NTE"):
        yield from filter(None, (value.text(1) for value in note.repetitions(3)))
    for diagnosis in group.all("DG1"):
        yield from filter(None, (diagnosis.text(3, 2) or diagnosis.text(4),))
