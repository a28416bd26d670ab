"""Answering an analyser's query (LIS2-A2): the tests that are wanted of a specimen, or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from exchange.astm.records import Record
from exchange.refusals import REQUIRED_MISSING, Refusal

PROCESSED, NO_INFORMATION, QUERY_ERROR = "F", "I", "Q"
"""How the answer ends (L-3): request processed, nothing known, the request can't be answered."""

CANCELLED = "A"
"""Q-13: the analyser takes its last request back."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The signs with which the analyser separates; an answer uses its own."""

    field: str
    repeat: str
    component: str
    escape: str

    @classmethod
    def of(cls, text: str) -> "Delimiters":
        """Return those of a message whose header was read."""
        return cls(*text[1:5])

    def write(self, value: str) -> str:
        """Return text that stands for itself between delimiters (LIS2-A2, 6.4.2)."""
        names = {self.field: "F", self.repeat: "R", self.component: "S", self.escape: "E"}
        return "".join(
            f"{self.escape}{names[sign]}{self.escape}" if sign in names else sign
            for sign in " ".join(value.split())
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A specimen that an analyser asks about: what it wrote, and the numbers in it."""

    written: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a specimen; tests in the analyser's own names."""

    asked: Asked
    mrn: str
    birth_date: str
    sex: str
    priority: str
    collected_at: datetime
    tests: tuple[str, ...]


def read_queries(records: Sequence[Record]) -> list[Asked]:
    """Return the specimens that are asked about; none where a request is taken back.

    Raises:
        Refusal: a query names no specimen, or asks for a range or for all of them.
    """
    return [
        asked
        for record in records
        if record.kind == "Q" and record.text(13).upper() != CANCELLED
        for asked in _asked(record)
    ]


def _asked(record: Record) -> list[Asked]:
    raw = record.fields[2] if len(record.fields) > 2 else ""
    found = []
    for written in filter(None, (part.strip() for part in raw.split(record.repeat))):
        numbers = tuple(filter(None, (part.strip() for part in written.split(record.component))))
        found.append(Asked(written, numbers))
    if not any(asked.numbers for asked in found):
        text = "The query names no specimen."
        raise Refusal(text, code=REQUIRED_MISSING, location=record.location(3))
    if record.text(4) or any("ALL" in map(str.upper, asked.numbers) for asked in found):
        text = "A query about a range or about all specimens is not answered."
        raise Refusal(text, location=record.location(3))
    return found


def write_answer(
    wanted: Sequence[Wanted],
    *,
    ending: str,
    receiver: str,
    written_at: datetime,
    delimiters: Delimiters,
) -> str:
    """Return the answer's records, each ended by a carriage return.

    Each specimen is a patient with an order; O-26 says that it answers a query.
    """
    d = delimiters
    lines = [_header(receiver, written_at, d)]
    for number, item in enumerate(wanted, start=1):
        lines += [_patient(number, item, d), _order(item, d)]
    lines.append(d.field.join(("L", "1", ending)))
    return "".join(f"{line}\r" for line in lines)


def _header(receiver: str, written_at: datetime, d: Delimiters) -> str:
    signs = f"H{d.field}{d.repeat}{d.component}{d.escape}"
    fields = ["", "", "HEMATOVISION", "", "", "", "", d.write(receiver), "", "P", "LIS2-A2"]
    return d.field.join([signs, *fields, f"{written_at:%Y%m%d%H%M%S}"])


def _patient(number: int, item: Wanted, d: Delimiters) -> str:
    """Give number, birth date and sex: enough to check the tube by, without the name."""
    fields = ["P", str(number), d.write(item.mrn), "", "", "", "", item.birth_date, item.sex]
    return d.field.join(fields)


def _order(item: Wanted, d: Delimiters) -> str:
    tests = d.repeat.join(f"{d.component * 3}{d.write(name)}" for name in item.tests)
    fields = [""] * 26
    fields[0:6] = ["O", "1", item.asked.written, "", tests, item.priority]
    fields[7] = f"{item.collected_at:%Y%m%d%H%M%S}"
    fields[11], fields[25] = "N", "Q"
    return d.field.join(fields)
