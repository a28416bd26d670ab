"""E1394/LIS2-A2 records (H P O R C L), read into values by specimen."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo

from classifier.enums import ResultStatus
from exchange.hl7v2.moments import read_moment
from exchange.measurements import SentValue, SpecimenResults
from exchange.refusals import REQUIRED_MISSING, SEGMENT_SEQUENCE, Refusal

MOST_RECORDS = 5000
STATUSES = {
    "": ResultStatus.FINAL,
    "F": ResultStatus.FINAL,
    "V": ResultStatus.FINAL,
    "R": ResultStatus.FINAL,
    "C": ResultStatus.CORRECTED,
    "P": ResultStatus.PRELIMINARY,
    "I": ResultStatus.PRELIMINARY,
    "S": ResultStatus.PRELIMINARY,
}
"""R-9; what is not listed (X: cannot be done) brings no value."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; fields are counted from 1, the first being the type itself."""

    fields: tuple[str, ...]
    repeat: str
    component: str
    number: int

    @property
    def kind(self) -> str:
        """The letter that says what the record is."""
        return self.fields[0][:1].upper()

    def text(self, place: int, component: int = 1) -> str:
        """Return a component of a field's first value, "" if it is missing."""
        parts = self.components(place)
        return parts[component - 1] if component <= len(parts) else ""

    def components(self, place: int) -> list[str]:
        """Return the components of a field's first value."""
        raw = self.fields[place - 1] if place <= len(self.fields) else ""
        return [part.strip() for part in raw.split(self.repeat)[0].split(self.component)]

    def location(self, place: int) -> str:
        """Where a field stands: type, number of the record, field."""
        return f"{self.kind}^{self.number}^{place}"


@dataclass(slots=True)
class _Specimen:
    order: Record
    numbers: tuple[str, ...]
    values: list[SentValue] = field(default_factory=list)
    instrument: str = ""


def read_records(text: str) -> list[Record]:
    """Cut a message into records by the delimiters that its header names.

    Raises:
        Refusal: it doesn't begin with a header, has no end, or too many records.
    """
    lines = [line for line in text.replace("\n", "\r").split("\r") if line.strip()]
    if not lines or len(lines[0]) < 5 or not lines[0].startswith("H"):
        text = "The message does not begin with a header record."
        raise Refusal(text, code=SEGMENT_SEQUENCE, location="H^1", rejects=True)
    separator, repeat, component, escape = list(lines[0][1:5])
    signs = {separator, repeat, component, escape}
    if len(signs) < 4 or any(sign.isalnum() or sign.isspace() for sign in signs):
        raise Refusal("The delimiters in the header can't be used.", location="H^1^2", rejects=True)
    if not lines[-1].startswith("L"):
        text = "The message has no terminator record."
        raise Refusal(text, code=SEGMENT_SEQUENCE, location="L^1", rejects=True)
    if len(lines) > MOST_RECORDS:
        raise Refusal("The message has too many records.", rejects=True)
    return [
        Record(tuple(line.split(separator)), repeat, component, number)
        for number, line in enumerate(lines, start=1)
    ]


def sender_name(header: Record) -> str:
    """Return H-5, by which the analyser names itself."""
    return header.text(5)


def read_astm_results(records: list[Record], *, zone: tzinfo) -> list[SpecimenResults]:
    """Return what a message brings, one item for each order record.

    Raises:
        Refusal: a result without an order, an order without a number, or a time that can't be
            read.
    """
    specimens: list[_Specimen] = []
    numbers: tuple[str, ...] = ()
    for record in records[1:]:
        if record.kind == "P":
            numbers = tuple(filter(None, (record.text(3), record.text(4))))
        elif record.kind == "O":
            specimens.append(_Specimen(record, numbers))
        elif record.kind == "R":
            _add(specimens, record, records[0], zone)
    if not specimens:
        raise Refusal("The order record is missing.", code=SEGMENT_SEQUENCE, location="O^1")
    return list(_finished(specimens))


def _finished(specimens: list[_Specimen]) -> Iterator[SpecimenResults]:
    for specimen in specimens:
        order = specimen.order
        ids = dict.fromkeys(filter(None, (*order.components(3), *order.components(4))))
        if not ids:
            text = "The order names no specimen."
            raise Refusal(text, code=REQUIRED_MISSING, location=order.location(3))
        yield SpecimenResults(
            specimen_ids=tuple(ids),
            patient_numbers=specimen.numbers,
            instrument=specimen.instrument,
            values=tuple(specimen.values),
        )


def _add(specimens: list[_Specimen], record: Record, header: Record, zone: tzinfo) -> None:
    if not specimens:
        text = "A result stands before any order."
        raise Refusal(text, code=SEGMENT_SEQUENCE, location=record.location(1))
    status = STATUSES.get(record.text(9).upper())
    if status is None:
        return
    specimens[-1].instrument = specimens[-1].instrument or record.text(14)
    moment = record.text(13) or header.text(14)
    if not moment:
        text = "No time of the result was sent."
        raise Refusal(text, code=REQUIRED_MISSING, location=record.location(13))
    specimens[-1].values.append(
        SentValue(
            position=record.number,
            codes=tuple(filter(None, record.components(3))),
            value=record.text(4),
            unit=_unit(record),
            status=status,
            measured_at=read_moment(moment, zone, record.location(13)),
            flags=record.text(7),
            location=record.location(5),
        )
    )


def _unit(record: Record) -> str:
    """Return R-5; units such as 10^3/uL hold the sign that separates components."""
    return record.component.join(record.components(5))
