"""What an order of another system does to the laboratory's record."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus, Priority, SpecimenType
from classifier.exceptions import DomainError
from classifier.models import Case, Patient
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case
from classifier.services.orders import change_order
from classifier.services.patients import (
    Identity,
    find_by_number,
    find_look_alikes,
    register_patient,
)
from classifier.services.transitions import lock_case, transition
from exchange.hl7v2.orders import Coding, IncomingOrder, OrderControl
from exchange.hl7v2.people import IncomingPatient
from exchange.hl7v2.replies import OrderReply
from exchange.models import OrderCode, PlacedOrder, Sender
from exchange.refusals import DUPLICATE_KEY, LOCKED, NOT_IN_TABLE, UNKNOWN_KEY, Parked, Refusal

CLOCKS_DIFFER_BY = timedelta(minutes=5)
"""A time this little in the future is taken as now: clocks of two systems are never the same."""

NO_TIMES = "The order gave no time of collection: this is when it was placed."
NO_RECEIPT = "The order gave no time of receipt: this is when the order came."


@dataclass(frozen=True, slots=True)
class Context:
    """From whom an order came, in which message, and who acts.

    `same_person` is a person's word that the patient registered under the number is meant,
    although name, birth date or sex differ.
    """

    sender: Sender
    message_id: uuid.UUID
    actor: User
    same_person: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The case that an order concerned, and what to answer."""

    case: Case
    reply: OrderReply


def apply_order(order: IncomingOrder, context: Context) -> Outcome:
    """Do what an order asks: a new case, a change while it is registered, a cancellation.

    Doing the same again changes nothing. Call inside a transaction.

    Raises:
        Refusal: it can't be done.
        Parked: the number belongs to a patient with another name, birth date or sex.
    """
    placed = (
        PlacedOrder.objects.filter(sender=context.sender, placer_number=order.placer_number)
        .select_related("case__patient", "case__specimen")
        .first()
    )
    try:
        if order.control == OrderControl.NEW:
            return _again(placed, order, context) if placed else _place(order, context)
        if placed is None:
            text = "No order with this placer number came from this sender."
            raise Refusal(text, code=UNKNOWN_KEY, location="ORC^1^2")
        _check_same_patient(placed.case, order, context)
        act = _cancel if order.control == OrderControl.CANCEL else _change
        return act(lock_case(placed.case.pk), order, context)
    except DomainError as refusal:
        raise Refusal(str(refusal)) from refusal


def _place(order: IncomingOrder, context: Context) -> Outcome:
    coding = _accepted(order.tests)
    specimen = _specimen(order)
    patient = _patient(order.patient, context)
    details = OrderDetails(
        priority=order.priority or Priority.ROUTINE,
        ordering_clinician=order.requester,
        clinical_details=order.clinical_details,
    )
    case = open_case(actor=context.actor, patient=patient, order=details, specimen=specimen)
    PlacedOrder.objects.create(
        sender=context.sender,
        placer_number=order.placer_number,
        case=case,
        message_id=context.message_id,
        test_code=coding.code[:60],
        test_name=coding.text[:200],
    )
    return _answer("OK", case, order)


def _again(placed: PlacedOrder, order: IncomingOrder, context: Context) -> Outcome:
    """The same order placed twice is one order."""
    _check_same_patient(placed.case, order, context)
    if placed.case.status in {CaseStatus.CANCELLED, CaseStatus.REJECTED}:
        text = "The order with this placer number was cancelled. Place it under another number."
        raise Refusal(text, code=DUPLICATE_KEY, location="ORC^1^2")
    return _answer("OK", placed.case, order)


def _cancel(case: Case, order: IncomingOrder, context: Context) -> Outcome:
    if case.status not in {CaseStatus.REGISTERED, CaseStatus.CANCELLED}:
        text = "The order is already in progress; call the laboratory."
        raise Refusal(text, code=LOCKED, location="ORC^1^1")
    if case.status == CaseStatus.REGISTERED:
        reason = f"Cancelled by {context.sender.name}."
        transition(case_id=case.pk, name="cancel", actor=context.actor, reason=reason)
    return _answer("CR", case, order)


def _change(case: Case, order: IncomingOrder, context: Context) -> Outcome:
    if case.status != CaseStatus.REGISTERED:
        text = "The order is already in progress; it can't be changed now."
        raise Refusal(text, code=LOCKED, location="ORC^1^1")
    _accepted(order.tests)
    changed = change_order(
        case_id=case.pk,
        actor=context.actor,
        priority=order.priority or case.priority,
        ordering_clinician=order.requester or case.ordering_clinician,
        clinical_details=order.clinical_details or case.clinical_details,
        specimen=_changed_specimen(case, order),
    )
    return _answer("XR", changed, order)


def _answer(control: str, case: Case, order: IncomingOrder) -> Outcome:
    return Outcome(case, OrderReply(control, order.placer_number, case.accession_number))


def _accepted(tests: tuple[Coding, ...]) -> Coding:
    known = set(
        OrderCode.objects.in_use()
        .filter(code__in=[coding.code for coding in tests])
        .values_list("code", flat=True)
    )
    for coding in tests:
        if coding.code in known:
            return coding
    text = "The requested test is not done here."
    raise Refusal(text, code=NOT_IN_TABLE, location="OBR^1^4")


def _patient(incoming: IncomingPatient, context: Context) -> Patient:
    """Return the patient registered under the number, or register one; never change or merge any.

    Where that record was merged, the one that stands for it: the message names the patient as
    the merged record does.
    """
    number = incoming.number
    known = find_by_number(number.mrn, number.issuer)
    if known:
        if not context.same_person:
            check_identity(known, incoming)
        return known.standing
    identity = Identity(
        mrn=number.mrn,
        mrn_issuer=number.issuer,
        family_name=incoming.family_name,
        given_name=incoming.given_name,
        birth_date=incoming.birth_date,
        sex=incoming.sex,
    )
    reason = f"Ordered by {context.sender.name} under a number of its own."
    alike = reason if find_look_alikes(identity) else ""
    return register_patient(actor=context.actor, identity=identity, duplicate_reason=alike)


def check_identity(patient: Patient, incoming: IncomingPatient) -> None:
    """Hold a registered patient against the one in a message.

    Case and spacing of names don't matter, and a sex that one side doesn't know contradicts
    nothing.

    Raises:
        Parked: name, birth date or sex differ.
    """
    sexes = {patient.sex, incoming.sex} - {"unknown"}
    differing = {
        "family name": _folded(patient.family_name) != _folded(incoming.family_name),
        "given name": _folded(patient.given_name) != _folded(incoming.given_name),
        "birth date": patient.birth_date != incoming.birth_date,
        "sex": len(sexes) > 1,
    }
    names = ", ".join(name for name, differs in differing.items() if differs)
    if names:
        raise Parked(
            f"This record number belongs to a patient registered with another {names}. "
            "The laboratory was told; nothing was changed.",
            code=DUPLICATE_KEY,
            location="PID^1^3",
        )


def _check_same_patient(case: Case, order: IncomingOrder, context: Context) -> None:
    number = order.patient.number
    known = find_by_number(number.mrn, number.issuer)
    if known is None or known.standing != case.patient:
        raise Parked(
            "The order with this placer number is another patient's. "
            "The laboratory was told; nothing was changed.",
            code=DUPLICATE_KEY,
            location="PID^1^3",
        )
    if not context.same_person:
        check_identity(known, order.patient)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _specimen(order: IncomingOrder) -> SpecimenDetails:
    """Times that weren't sent are those of the order, and the specimen says so."""
    now = timezone.now()
    received = _past(order.received_at, "SPM^1^18")
    collected = _past(order.collected_at, "SPM^1^17")
    note = "" if received else NO_RECEIPT
    if collected is None:
        note = NO_TIMES
        collected = received or _past(order.ordered_at, "ORC^1^9") or now
    return SpecimenDetails(
        collected_at=collected,
        received_at=received or now,
        specimen_type=order.specimen_type or SpecimenType.EDTA_BLOOD,
        condition_note=note,
    )


def _changed_specimen(case: Case, order: IncomingOrder) -> SpecimenDetails:
    specimen = case.specimen
    collected = _past(order.collected_at, "SPM^1^17")
    return SpecimenDetails(
        collected_at=collected or specimen.collected_at,
        received_at=_past(order.received_at, "SPM^1^18") or specimen.received_at,
        specimen_type=order.specimen_type or specimen.specimen_type,
        stain=specimen.stain,
        condition=specimen.condition,
        condition_note="" if collected else specimen.condition_note,
    )


def _past(moment: datetime | None, location: str) -> datetime | None:
    """Return a moment that is not to come; a little in the future is now."""
    now = timezone.now()
    if moment is not None and moment > now + CLOCKS_DIFFER_BY:
        raise Refusal("This time lies in the future.", location=location)
    return None if moment is None else min(moment, now)
