"""What an analyser that asks about a specimen is told: the open order of its case, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from classifier.enums import Analyte, Priority, Sex
from classifier.models import Case
from classifier.selectors.restrictions import restriction_of
from classifier.services.analyser import OPEN
from exchange.astm.answers import (
    NO_INFORMATION,
    PROCESSED,
    QUERY_ERROR,
    Asked,
    Delimiters,
    Wanted,
    read_queries,
    write_answer,
)
from exchange.astm.records import Record, sender_name
from exchange.measurements import SpecimenResults
from exchange.models import AnalyteCode, Sender
from exchange.refusals import Refusal
from exchange.services.results import find_case

PRIORITIES = {Priority.STAT: "S", Priority.URGENT: "A", Priority.ROUTINE: "R"}
SEXES = {Sex.FEMALE: "F", Sex.MALE: "M"}


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer's text, the cases it tells of, and what is noted of the query."""

    text: str
    cases: tuple[Case, ...]
    notes: tuple[str, ...]


def answer_queries(records: Sequence[Record], text: str, sender: Sender) -> Answered | None:
    """Answer what a message asks; None if it asks nothing, or takes its request back.

    A case is told of while it waits for its results: not once it is signed, rejected or
    cancelled. A query that can't be answered gets the standard's error, not silence.
    """
    if not any(record.kind == "Q" for record in records):
        return None
    try:
        asked = read_queries(records)
    except Refusal as refusal:
        return Answered(_write((), QUERY_ERROR, records, text, sender), (), (str(refusal),))
    if not asked:
        return None
    known = [(item, case) for item in asked if (case := _open_case(item))]
    tests = _tests_of(sender)
    wanted = [_wanted(item, case, sender, tests) for item, case in known] if tests else []
    ending = PROCESSED if wanted else NO_INFORMATION
    note = f"Asked about {len(asked)} specimens; {len(wanted)} are wanted."
    cases = tuple(case for _, case in known) if wanted else ()
    return Answered(_write(wanted, ending, records, text, sender), cases, (note,))


def _open_case(asked: Asked) -> Case | None:
    case = find_case(SpecimenResults(asked.numbers, (), "", ()))
    return case if case and case.status in OPEN else None


def _tests_of(sender: Sender) -> tuple[str, ...]:
    """Return the analyser's own names of what is wanted; else the common ones, no LOINC.

    Only ASCII is written: any analyser reads it, and nothing is spelled otherwise than here.
    """
    rows = [row for row in AnalyteCode.objects.in_use().order_by("pk") if row.code.isascii()]
    own = [row for row in rows if row.sender_id == sender.pk]
    common = [row for row in rows if row.sender_id is None and not _is_loinc(row.code)]
    chosen: dict[str, str] = {}
    for row in (*own, *common):
        chosen.setdefault(row.analyte, row.code)
    return tuple(chosen[name] for name in Analyte.values if name in chosen)


def _is_loinc(code: str) -> bool:
    number, _, check = code.partition("-")
    return number.isdigit() and check.isdigit()


def _wanted(asked: Asked, case: Case, sender: Sender, tests: tuple[str, ...]) -> Wanted:
    patient = case.patient
    is_open = restriction_of(patient) is None
    return Wanted(
        asked=asked,
        mrn=patient.mrn if is_open and patient.mrn.isascii() else "",
        birth_date=f"{patient.birth_date:%Y%m%d}" if is_open else "",
        sex=SEXES.get(Sex(patient.sex), "U"),
        priority=PRIORITIES[Priority(case.priority)],
        collected_at=case.specimen.collected_at.astimezone(sender.zone),
        tests=tests,
    )


def _write(
    wanted: Sequence[Wanted], ending: str, records: Sequence[Record], text: str, sender: Sender
) -> str:
    return write_answer(
        wanted,
        ending=ending,
        receiver=sender_name(records[0]),
        written_at=timezone.now().astimezone(sender.zone),
        delimiters=Delimiters.of(text),
    )
