"""What an analyser's message does: values to their cases, unknown specimens to a person."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone

from classifier.enums import Analyte
from classifier.exceptions import DomainError
from classifier.models import Case, Patient
from classifier.services.analyser import Measured, add_results
from exchange.measurements import SentValue, SpecimenResults, as_number, convert
from exchange.models import AnalyteCode, PlacedOrder
from exchange.refusals import Refusal
from exchange.services.orders import CLOCKS_DIFFER_BY, Context

SLIDE = re.compile(r"-\d{1,3}$")
LONGEST_SOURCE = 150


@dataclass(frozen=True, slots=True)
class Brought:
    """Which cases got values, what was left out, and what waits for a person, "" if nothing."""

    cases: tuple[Case, ...]
    notes: tuple[str, ...]
    waiting: str


def apply_results(found: Sequence[SpecimenResults], context: Context) -> Brought:
    """Bring values to the cases of their specimens. Call inside a transaction.

    What belongs to no case, or names another patient, waits for a person; the rest is done.

    Raises:
        Refusal: a unit is unknown, a value can't be, or a time lies in the future.
    """
    cases: list[Case] = []
    notes: list[str] = []
    unknown = 0
    for results in found:
        case = find_case(results)
        if case is None:
            unknown += 1
        else:
            notes += bring(results, case, context)
            cases.append(case)
    waiting = f"No case was found for {unknown} of {len(found)} specimens." if unknown else ""
    return Brought(tuple(cases), tuple(dict.fromkeys(notes)), waiting)


def find_case(results: SpecimenResults) -> Case | None:
    """Return the case of a specimen, by accession number, slide number or placer order number.

    None as well where numbers lead to different cases, or the message names another patient.
    """
    numbers = {number.upper() for number in results.specimen_ids}
    accessions = numbers | {SLIDE.sub("", number) for number in numbers}
    orders = PlacedOrder.objects.filter(placer_number__in=results.specimen_ids)
    cases = Case.objects.filter(
        Q(accession_number__in=accessions) | Q(pk__in=orders.values("case_id"))
    )
    found = list(cases.select_related("patient")[:2])
    if len(found) != 1 or _names_another(found[0].patient, results.patient_numbers):
        return None
    return found[0]


def bring(results: SpecimenResults, case: Case, context: Context) -> list[str]:
    """Bring the values of a specimen to a case; return what was left out and why.

    Raises:
        Refusal: see `apply_results`.
    """
    codes = _codes(results.values, context)
    measured, notes = [], list(results.notes)
    for value in results.values:
        code = next((codes[name.upper()] for name in value.codes if name.upper() in codes), None)
        if code is None:
            continue
        number = as_number(value.value)
        if number is None:
            notes.append(f"{Analyte(code.analyte).label}: no number was sent.")
        else:
            measured.append(_measured(value, number, code, context))
    if len(measured) < len(results.values):
        notes.append(f"{len(measured)} of {len(results.values)} values are of use here.")
    source = " ".join(filter(None, (context.sender.name, results.instrument)))
    try:
        add_results(
            case_id=case.pk,
            actor=context.actor,
            source=source[:LONGEST_SOURCE],
            message_id=context.message_id,
            results=measured,
        )
    except DomainError as refusal:
        raise Refusal(str(refusal)) from refusal
    return notes


def _codes(values: Iterable[SentValue], context: Context) -> dict[str, AnalyteCode]:
    """Return what the codes mean for this sender; its own rows win over those for all."""
    names = {name.upper() for value in values for name in value.codes}
    rows = AnalyteCode.objects.in_use().filter(Q(sender=context.sender) | Q(sender=None))
    known = sorted(rows, key=lambda row: row.sender_id is not None)
    return {row.code.upper(): row for row in known if row.code.upper() in names}


def _measured(value: SentValue, number: Decimal, code: AnalyteCode, context: Context) -> Measured:
    now = timezone.now()
    if value.measured_at > now + CLOCKS_DIFFER_BY:
        raise Refusal("A result can't have been measured in the future.", location=value.location)
    analyte = Analyte(code.analyte)
    unit = value.unit or code.unit
    return Measured(
        position=value.position,
        analyte=analyte,
        value=convert(number, unit, analyte, code.factor, value.location),
        measured_at=min(value.measured_at, now),
        status=value.status,
        sent_code=code.code,
        sent_value=value.value[:30],
        sent_unit=value.unit[:30],
        flags=value.flags[:60],
        leaves_out_erythroblasts=(
            analyte == Analyte.LEUKOCYTES and context.sender.leaves_out_erythroblasts
        ),
    )


def _names_another(patient: Patient, numbers: Sequence[str]) -> bool:
    """True if a number in the message is another registered patient's and not this one's.

    Numbers of records that were merged into this one are this patient's.
    """
    named = Patient.objects.filter(mrn__in=numbers)
    own = Q(pk=patient.pk) | Q(merged_into=patient)
    return not named.filter(own).exists() and named.exclude(own).exists()
